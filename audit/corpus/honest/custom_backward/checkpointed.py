"""Recomputes the hidden layer in the backward pass, by torch's checkpointing.

baseline: mlp
needs: cpu
written: before-freeze
"""

import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(0.1)

    def inner(self, x):
        return self.dropout(self.down(F.gelu(self.up(x))))

    def forward(self, x):
        return x + checkpoint(self.inner, x, use_reentrant=False)
