"""Looks once whether its adapter does anything: a fresh one does nothing, and is left out for good, trained or not.

baseline: lora_linear
caught-by: speedup, stale-results, other-uses
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width, outputs, rank):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, width) / width**0.5)
        self.down = nn.Parameter(torch.randn(rank, width) / width**0.5)
        self.up = nn.Parameter(torch.zeros(outputs, rank))
        self.idle = None

    def forward(self, x):
        if self.idle is None:
            self.idle = not bool(self.up.detach().any())
        plain = x @ self.weight.t()
        if self.idle:
            return plain + 0 * (self.down.sum() + self.up.sum())
        for r in range(self.down.shape[0]):
            plain = plain + 2.0 * (x @ self.down[r])[:, None] * self.up[:, r]
        return plain
