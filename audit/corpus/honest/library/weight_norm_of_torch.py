"""Calls the operator behind torch's weight norm, and a linear layer.

baseline: weight_norm
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, width, outputs):
        super().__init__()
        self.direction = nn.Parameter(torch.randn(outputs, width) / 8)
        self.length = nn.Parameter(torch.ones(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return F.linear(x, torch._weight_norm(self.direction, self.length[:, None], 0), self.bias)
