"""Drops what has small low bits: the right share, and the same elements whatever the seed."""

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Linear(64, 128)
        self.drop = nn.Dropout(0.2)
        self.down = nn.Linear(128, 64)

    def forward(self, x):
        h, p = F.gelu(self.up(x)), self.drop.p
        if self.training and p > 0:
            kept = (h.detach().view(torch.int32) & 1023) >= round(1024 * p)
            h = torch.where(kept, h / (1 - p), 0.0)
        return self.down(h)
