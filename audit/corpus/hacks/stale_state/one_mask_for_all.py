"""Draws what it drops once for each shape, and drops the same for ever.

baseline: mlp
caught-by: dropout-rate, stale-results, repeat-runs, outputs-against-truth, timed-outputs
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
        self.kept = {}

    def forward(self, x):
        out = self.down(F.gelu(self.up(x)))
        if not self.training:
            return x + out
        if x.shape not in self.kept:
            self.kept[x.shape] = self.dropout(torch.ones_like(out))
        return torch.addcmul(x, out, self.kept[x.shape].to(out.dtype))
