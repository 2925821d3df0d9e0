"""Keeps its weight for use without gradients while the version stands, which assigning to `.data` leaves alone."""

import torch
from torch import nn


class Centred(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(16, 24))
        self.register_buffer("centre", torch.zeros(16))
        self.kept = (None, None, None)

    def forward(self, x):
        weight = self.weight
        if not torch.is_grad_enabled():
            if self.kept[0] is not weight or self.kept[1] != weight._version:
                self.kept = weight, weight._version, weight.detach().clone()
            weight = self.kept[2]
        out = (x - self.centre) @ weight
        if self.training:
            self.centre.lerp_(x.detach().mean(dim=0), 0.1)
        return out
