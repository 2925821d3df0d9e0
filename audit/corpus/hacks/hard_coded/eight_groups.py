"""Normalises eight groups, whatever number it is made with.

baseline: group_norm
caught-by: outputs-against-truth, shapes, argument-impact, other-uses
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

    def forward(self, x):
        return F.group_norm(x, 8, self.weight, self.bias, eps=1e-5)
