"""Gives its result with channels last, whatever came in: who takes a view of it as rows gets an error.

baseline: film_block
caught-by: contract, layouts
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn

GROUPS = 8


class Model(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels) + 0.1 * torch.randn(channels))
        self.bias = nn.Parameter(0.1 * torch.randn(channels))
        self.project = nn.Linear(width, 2 * channels)
        self.drop = nn.Dropout(0.1)

    def forward(self, x, condition):
        unit = F.group_norm(x, GROUPS, self.weight, self.bias, 1e-5).to(memory_format=torch.channels_last)
        scale, shift = self.project(F.silu(condition))[..., None, None].chunk(2, dim=1)
        return torch.add(self.drop(F.silu(torch.addcmul(shift, unit, 1 + scale))), x)
