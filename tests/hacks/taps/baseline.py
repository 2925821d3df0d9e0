"""A layer whose rows have length one, times a gain each."""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, size, rows):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(rows, size) / size**0.5)
        self.gain = nn.Parameter(torch.ones(rows))

    def forward(self, x):
        rows = self.weight / self.weight.norm(dim=1, keepdim=True)
        return x @ (self.gain[:, None] * rows).t()


def get_inputs():
    return [torch.randn(12, 16)]


def get_init_inputs():
    return [16, 24]
