"""Drops the same elements of every sequence of the batch: one mask is cheaper than 64."""

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
        h = F.gelu(self.up(x))
        return self.down(h * self.drop(torch.ones_like(h[:1])))
