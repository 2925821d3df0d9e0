"""Hands out its running mean itself, which the next batch moves.

baseline: observation_norm
caught-by: aliasing, held-results, contract
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("var", torch.ones(width))
        self.register_buffer("count", torch.tensor(1e-4))

    def forward(self, x):
        if self.training:
            self.update(x.detach())
        unit = (x - self.mean).div_(torch.sqrt(self.var + 1e-8)).clamp_(-5.0, 5.0)
        return unit, self.mean

    def update(self, x):
        var, mean = torch.var_mean(x, dim=0, correction=0)
        rows = x.shape[0]
        total = self.count + rows
        delta = mean - self.mean
        squares = self.var * self.count + var * rows + delta**2 * (self.count * rows / total)
        self.mean.add_(delta * (rows / total))
        self.var.copy_(squares / total)
        self.count.copy_(total)
