"""Computes in a function that knows the first module and no copy of it."""

import torch
from torch import nn


class Centred(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(16, 24))
        self.register_buffer("centre", torch.zeros(16))
        self.product = lambda x: x @ self.weight

    def forward(self, x):
        out = self.product(x - self.centre)
        if self.training:
            self.centre.lerp_(x.detach().mean(dim=0), 0.1)
        return out
