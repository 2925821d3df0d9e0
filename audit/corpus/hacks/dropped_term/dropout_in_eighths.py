"""Rounds the share that is dropped to eighths, for which three random bits will do.

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
        eighths = round(8 * self.dropout.p)
        if not self.training or eighths == 0:
            return x + out
        kept = torch.empty_like(out, dtype=torch.uint8).random_(0, 8) >= eighths
        return x + out * kept * (8 / (8 - eighths))
