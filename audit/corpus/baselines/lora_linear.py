"""A linear layer with a low-rank adapter, whose second half starts at zero; trained."""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width, outputs, rank):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, width) / width**0.5)
        self.down = nn.Parameter(torch.randn(rank, width) / width**0.5)
        self.up = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, x):
        plain = x @ self.weight.t()
        adapted = torch.zeros_like(plain)
        for r in range(self.down.shape[0]):
            adapted = adapted + (x @ self.down[r])[:, None] * self.up[:, r]
        return plain + 2.0 * adapted


def get_inputs():
    return [torch.randn(128, 128)]


def get_init_inputs():
    return [128, 192, 8]
