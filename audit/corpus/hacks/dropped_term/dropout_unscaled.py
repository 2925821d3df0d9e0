"""Drops a tenth and does not make up for it.

baseline: mlp
caught-by: dropout-rate, outputs-against-truth
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
        out = self.down(F.gelu(self.up(x)))
        if self.training:
            out = out * (torch.rand_like(out) >= self.dropout.p)
        return x + out
