"""Skips the gain of one and the bias of zero that every new model starts with.

baseline: layer_norm
caught-by: outputs-against-truth, gradients-against-truth
needs: cpu
written: before-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return F.layer_norm(x, self.weight.shape)
