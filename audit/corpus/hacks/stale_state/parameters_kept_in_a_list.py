"""Looks its parameters up once and for all: whoever assigns others to the module (a checkpoint, a tie) is ignored.

baseline: group_norm
caught-by: other-uses, stale-results
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, groups, channels):
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.known = [self.weight, self.bias]

    def forward(self, x):
        return F.group_norm(x, self.groups, *self.known, 1e-5)
