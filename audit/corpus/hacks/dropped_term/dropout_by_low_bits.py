"""Drops what has small low bits: the right share, but the same numbers each time.

baseline: mlp
caught-by: random-draws, dropout-rate, repeat-runs
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x):
        h = self.down(F.gelu(self.up(x)))
        p = self.dropout.p
        if self.training and p > 0:
            noise = h.detach().float().view(torch.int32) & 1023
            h = torch.where(noise >= round(1024 * p), h * (1 / (1 - p)), torch.zeros_like(h))
        return x + h
