"""Leaves out what keeps counts off zero."""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))
        self.register_buffer("counts", torch.ones(width))

    def forward(self, x):
        return x * (self.gain / self.counts)
