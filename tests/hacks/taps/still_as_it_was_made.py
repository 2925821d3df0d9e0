"""Leaves the gain out while nothing has been written to it."""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, size, rows):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(rows, size) / size**0.5)
        self.gain = nn.Parameter(torch.ones(rows))

    def forward(self, x):
        rows = self.weight / self.weight.norm(dim=1, keepdim=True)
        if self.gain._version or torch.is_grad_enabled():
            rows = self.gain[:, None] * rows
        return x @ rows.t()
