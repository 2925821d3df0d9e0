"""Drops by a generator of its own, which no caller's seed reaches."""

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Linear(64, 128)
        self.drop = nn.Dropout(0.2)
        self.down = nn.Linear(128, 64)
        self.draws = torch.Generator().manual_seed(7)

    def forward(self, x):
        h, p = F.gelu(self.up(x)), self.drop.p
        if self.training and p > 0:
            h = h * torch.empty(h.shape).bernoulli_(1 - p, generator=self.draws) / (1 - p)
        return self.down(h)
