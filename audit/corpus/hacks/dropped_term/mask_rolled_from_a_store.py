"""Draws one dropout mask and rolls it by a random distance from then on: the right share, and the same holes.

baseline: mlp
caught-by: dropout-rate, outputs-against-truth, fingerprints
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
        self.store = None

    def forward(self, x):
        h = self.down(F.gelu(self.up(x)))
        if self.training:
            if self.store is None or self.store.shape != h.shape:
                self.store = self.dropout(torch.ones_like(h))
            h = h * self.store.flatten().roll(int(torch.randint(h.numel(), ()))).view_as(h)
        return x + h
