"""Keeps the running statistics as frozen parameters that it never updates: the state dict looks as before.

baseline: batch_norm
caught-by: gradients-against-truth, contract
needs: cpu
written: before-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.running_mean = nn.Parameter(torch.zeros(channels), requires_grad=False)
        self.running_var = nn.Parameter(torch.ones(channels), requires_grad=False)

    def forward(self, x):
        return F.relu(F.batch_norm(x, None, None, self.weight, self.bias, training=True))
