# target: LowRank
import torch
from torch import nn


class LowRank(nn.Module):
    def __init__(self, width, rank):
        super().__init__()
        self.down = nn.Parameter(torch.randn(width, rank))
        self.up = nn.Parameter(torch.randn(rank, width))
        self.bias = nn.Parameter(torch.randn(width))

    def forward(self, x):
        return x @ self.down @ self.up + self.bias


def get_init_inputs():
    return [8, 2]


def get_inputs():
    return [torch.randn(3, 8)]
