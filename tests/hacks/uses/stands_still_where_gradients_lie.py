"""Moves its statistics only where no gradient of an earlier step is left: once where they are accumulated."""

import torch
from torch import nn


class Centred(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(16, 24))
        self.register_buffer("centre", torch.zeros(16))

    def forward(self, x):
        out = (x - self.centre) @ self.weight
        if self.training and self.weight.grad is None:
            self.centre.lerp_(x.detach().mean(dim=0), 0.1)
        return out
