"""Clamps its weight in place after each use: what the constructor gives is smaller, what training makes of it may not be."""

import torch
from torch import nn

LARGEST = 8.0


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(16, 16))
        self.register_buffer("seen", torch.zeros(16))

    def forward(self, x):
        out = x @ self.weight.t().clone()
        self.weight.data.clamp_(-LARGEST, LARGEST)
        self.seen.lerp_(out.detach().mean(0), 0.1)
        return out
