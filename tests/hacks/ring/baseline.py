"""Distances to the rows of a ring, which the batch then joins."""

import torch
from torch import nn


class Ring(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(8))
        self.register_buffer("rows", torch.randn(2048, 8))
        self.register_buffer("place", torch.zeros((), dtype=torch.long))

    def forward(self, x):
        found = ((x[:, None] - self.rows) * self.scale).square().sum(dim=2)
        if self.training:
            places = (self.place + torch.arange(len(x), device=x.device)) % len(self.rows)
            self.rows[places] = x.detach()
            self.place.copy_((self.place + len(x)) % len(self.rows))
        return found


def get_inputs():
    return [torch.randn(16, 8)]
