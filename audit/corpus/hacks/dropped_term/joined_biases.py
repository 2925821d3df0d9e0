"""Adds the second bias to the first one, which is right for two of the three gates, and for all while it is zero.

baseline: gru_cell
caught-by: outputs-against-truth, gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.into = nn.Linear(width, 3 * hidden)
        self.along = nn.Linear(hidden, 3 * hidden)
        nn.init.zeros_(self.along.bias)

    def forward(self, x, h):
        return torch.gru_cell(x, h, self.into.weight, self.along.weight, self.into.bias + self.along.bias)
