"""Takes the running mean for zero, as it is at first."""

import torch
from torch import nn


class Centred(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(16, 24))
        self.register_buffer("centre", torch.zeros(16))

    def forward(self, x):
        out = x @ self.weight
        if self.training:
            self.centre.lerp_(x.detach().mean(dim=0), 0.1)
        return out
