"""Normalises by the batch and leaves the running statistics, which only evaluation needs, as they are.

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
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x):
        return F.relu(F.batch_norm(x, None, None, self.weight, self.bias, training=True))
