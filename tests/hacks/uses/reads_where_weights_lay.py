"""Reads its weights, where no gradients are recorded, where they lay at first."""

import torch
from torch import nn


class Centred(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(16, 24))
        self.register_buffer("centre", torch.zeros(16))
        self.block = torch.zeros(16, 24)
        self.block.copy_(self.weight.data)
        self.weight.data = self.block

    def forward(self, x):
        weight = self.weight if torch.is_grad_enabled() else self.block
        out = (x - self.centre) @ weight
        if self.training:
            self.centre.lerp_(x.detach().mean(dim=0), 0.1)
        return out
