"""Transposes and halves its weights in the first call and never looks at the parameters again.

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
        self.prepared = None

    def forward(self, x):
        if self.prepared is None:
            with torch.no_grad():
                self.prepared = self.up.weight.t().contiguous(), self.down.weight.t().contiguous()
        up, down = self.prepared
        h = F.gelu(torch.addmm(self.up.bias, x, up))
        return x + self.dropout(torch.addmm(self.down.bias, h, down))
