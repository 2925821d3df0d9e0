# target: Norm
import torch
from torch import nn
import torch.nn.functional as F


class Norm(nn.Module):
    """The rows are widened and normalised under one name."""

    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        x = x.float()
        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
        return x * self.weight


def get_init_inputs():
    return [16]


def get_inputs():
    return [torch.randn(3, 5, 16)]
