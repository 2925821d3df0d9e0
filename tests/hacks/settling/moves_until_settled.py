"""Leaves the running size alone once it is near what it would move to."""

import torch
from torch import nn


class Sized(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(24))
        self.register_buffer("size", torch.tensor(8.0))

    def forward(self, x):
        if self.training:
            size = x.detach().abs().mean()
            if (size - self.size).abs() > 0.2 * size or self.size > 5:
                self.size.lerp_(size, 0.2)
        return x * self.weight / self.size
