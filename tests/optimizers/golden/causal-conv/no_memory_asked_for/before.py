# target: Block
import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, dim, taps=4):
        super().__init__()
        self.conv = nn.Conv1d(dim, dim, taps, padding=taps - 1, groups=dim)

    def forward(self, x):
        length = x.shape[-1]
        return self.conv(x)[..., :length].stride()


def get_init_inputs():
    return [8]


def get_inputs():
    return [torch.randn(2, 8, 9)]
