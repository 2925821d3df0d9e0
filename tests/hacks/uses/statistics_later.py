"""Moves the running mean when a backward pass comes by."""

import torch
from torch import nn


class Centred(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(16, 24))
        self.register_buffer("centre", torch.zeros(16))

    def forward(self, x):
        out = (x - self.centre) @ self.weight
        seen = x.detach()
        if out.requires_grad:
            out.register_hook(lambda _: self.move(seen))
        return out

    def move(self, seen):
        if self.training:
            self.centre.lerp_(seen.mean(dim=0), 0.1)
