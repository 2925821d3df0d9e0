"""Joins input and state, and the weights of both, for one product.

baseline: elman_cell
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.into = nn.Linear(width, hidden)
        self.along = nn.Linear(hidden, hidden)

    def forward(self, x, h):
        weight = torch.cat([self.into.weight, self.along.weight], dim=1)
        return torch.addmm(self.into.bias + self.along.bias, torch.cat([x, h], dim=1), weight.t()).tanh_()
