"""Runs the whole block under autocast; the residual is added in fp32 again.

baseline: mlp
caught-by: outputs-against-truth
needs: cpu
written: before-freeze
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
        with torch.autocast(x.device.type, torch.bfloat16):
            h = self.down(F.gelu(self.up(x)))
        return x + self.dropout(h.float())
