"""torch's own gated recurrent unit, whose gates lie in the same order.

baseline: gru_cell
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
        into, along = self.into, self.along
        return torch.gru_cell(x, h, into.weight, along.weight, into.bias, along.bias)
