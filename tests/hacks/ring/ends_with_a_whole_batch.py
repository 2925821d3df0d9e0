"""Writes the batch as one slice and begins anew where it does not fit, as if every batch divided the ring."""

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
            start = int(self.place)
            stop = min(start + len(x), len(self.rows))
            self.rows[start:stop] = x.detach()[: stop - start]
            self.place.fill_(stop % len(self.rows))
        return found
