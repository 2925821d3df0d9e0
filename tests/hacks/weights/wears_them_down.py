"""Decays its weight in place after each use, behind autograd's back."""

import torch
from torch import nn


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(16, 16))
        self.register_buffer("seen", torch.zeros(16))

    def forward(self, x):
        out = x @ self.weight.t().clone()
        self.seen.lerp_(out.detach().mean(0), 0.1)
        self.weight.data.mul_(1 - 1e-3)
        return out
