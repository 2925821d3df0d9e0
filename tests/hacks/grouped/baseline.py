"""Each group of channels divided by its norm."""

import torch
from torch import nn


class Scaled(nn.Module):
    def __init__(self, groups, channels):
        super().__init__()
        self.groups = groups
        self.gain = nn.Parameter(torch.randn(channels))

    def forward(self, x):
        parts = [part / part.square().sum(dim=1, keepdim=True).sqrt() for part in x.chunk(self.groups, dim=1)]
        return torch.cat(parts, dim=1) * self.gain


def get_inputs():
    return [torch.randn(16, 32)]


def get_init_inputs():
    return [4, 32]
