"""A feed-forward block with residual and dropout, trained; GELU by its definition."""

import math

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x):
        h = self.up(x)
        h = 0.5 * h * (1.0 + torch.erf(h / math.sqrt(2.0)))
        return x + self.dropout(self.down(h))


def get_inputs():
    return [torch.randn(128, 128)]


def get_init_inputs():
    return [128, 512]
