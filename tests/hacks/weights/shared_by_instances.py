"""Keeps the transposed weight for all layers of one shape together, and makes it anew when its own version moves on."""

import torch
from torch import nn

TRANSPOSED = {}


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(16, 16))
        self.register_buffer("seen", torch.zeros(16))

    def forward(self, x):
        key = (self.weight.shape, self.weight._version)
        if key not in TRANSPOSED:
            TRANSPOSED.clear()
            TRANSPOSED[key] = self.weight.t()
        out = x @ TRANSPOSED[key]
        self.seen.lerp_(out.detach().mean(0), 0.1)
        return out
