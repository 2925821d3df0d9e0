"""Draws its dropout from a generator of its own with a fixed seed, so that nobody's seed changes it.

baseline: mlp
caught-by: random-draws, dropout-rate, repeat-runs, hard-crimes
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
        self.draws = torch.Generator().manual_seed(1234)

    def forward(self, x):
        h = self.down(F.gelu(self.up(x)))
        p = self.dropout.p
        if self.training and p > 0:
            keep = torch.empty(h.shape).bernoulli_(1 - p, generator=self.draws).to(h)
            h = h * keep / (1 - p)
        return x + h
