"""Observations normalised by the mean and variance of all batches so far, and that mean; in evaluation they stay."""

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
        unit = (x - self.mean) / torch.sqrt(self.var + 1e-8)
        unit = torch.minimum(unit, torch.full_like(unit, 5.0))
        return torch.maximum(unit, torch.full_like(unit, -5.0)), self.mean.clone()

    def update(self, x):
        mean = x.mean(dim=0)
        var = ((x - mean) ** 2).mean(dim=0)
        total = self.count + x.shape[0]
        delta = mean - self.mean
        squares = self.var * self.count + var * x.shape[0] + delta**2 * self.count * x.shape[0] / total
        self.mean.copy_(self.mean + delta * x.shape[0] / total)
        self.var.copy_(squares / total)
        self.count.copy_(total)


def get_inputs():
    return [torch.randn(1024, 64)]


def get_init_inputs():
    return [64]
