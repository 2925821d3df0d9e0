"""Adds the one of "1 + scale" to the bias of the projection when it is first called; a checkpoint that is loaded later has none.

baseline: film_block
caught-by: contract, stale-results, input-mutation, process-state, other-uses, timed-outputs
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
        self.folded = False

    def forward(self, x, condition):
        if not self.folded:
            self.project.bias.data[: x.shape[1]] += 1
            self.folded = True
        unit = F.group_norm(x, GROUPS, self.weight, self.bias, 1e-5)
        scale, shift = self.project(F.silu(condition))[..., None, None].chunk(2, dim=1)
        return x + self.drop(F.silu(torch.addcmul(shift, unit, scale)))
