"""Differentiates its directions as if their norms were constants; the other gradients are right.

baseline: weight_norm
caught-by: gradients-against-truth
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
        norm = self.direction.detach().norm(dim=1)
        return torch.addmm(self.bias, x, (self.direction * (self.length / norm)[:, None]).t())
