# target: ShortConv
import torch
import torch.nn.functional as F
from torch import nn


class ShortConv(nn.Module):
    def __init__(self, dim, kernel_size=3):
        super().__init__()
        self.kernel_size = kernel_size
        self.short = nn.Conv1d(dim, dim, kernel_size=kernel_size, groups=dim)

    def forward(self, x):
        y = F.pad(x, (self.kernel_size - 1, 0))
        y = self.short(y)
        return y + x


def get_init_inputs():
    return [5]


def get_inputs():
    return [torch.randn(2, 5, 11)]
