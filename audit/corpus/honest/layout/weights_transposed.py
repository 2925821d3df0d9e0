"""Products with transposed views by addmm.

baseline: mlp
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
        h = F.gelu(torch.addmm(self.up.bias, x, self.up.weight.t()))
        return x + self.dropout(torch.addmm(self.down.bias, h, self.down.weight.t()))
