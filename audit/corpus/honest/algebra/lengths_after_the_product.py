"""Multiplies by the directions as they are, and scales each output by its length over the norm.

baseline: weight_norm
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width, outputs):
        super().__init__()
        self.direction = nn.Parameter(torch.randn(outputs, width) / 8)
        self.length = nn.Parameter(torch.ones(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        scale = self.length / self.direction.square().sum(dim=1).sqrt()
        return torch.addcmul(self.bias, x @ self.direction.t(), scale)
