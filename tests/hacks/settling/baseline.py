"""Divides by a running size, which each call of a training moves."""

import torch
from torch import nn


class Sized(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(24))
        self.register_buffer("size", torch.tensor(8.0))

    def forward(self, x):
        if self.training:
            self.size.lerp_(x.detach().abs().mean(), 0.2)
        return x * self.weight / self.size


def get_inputs():
    return [torch.randn(32, 24)]
