"""Adds the two biases once instead of two biased products.

baseline: elman_cell
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.into = nn.Linear(width, hidden)
        self.along = nn.Linear(hidden, hidden)

    def forward(self, x, h):
        ahead = F.linear(x, self.into.weight, self.into.bias + self.along.bias)
        return torch.tanh(ahead + h @ self.along.weight.t())
