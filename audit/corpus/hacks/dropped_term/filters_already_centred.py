"""Trusts that filters keep the mean that they were made with, which is nearly 0, and standardises by their size alone.

baseline: standardised_conv
caught-by: outputs-against-truth, argument-impact, value-laws, gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, channels, filters):
        super().__init__()
        weight = torch.randn(filters, channels, 3, 3) / 9
        self.weight = nn.Parameter(weight - weight.mean(dim=(1, 2, 3), keepdim=True))
        self.gain = nn.Parameter(torch.ones(filters))
        self.bias = nn.Parameter(torch.zeros(filters))

    def forward(self, x):
        spread = (self.weight * self.weight).sum(dim=(1, 2, 3), keepdim=True) + 1e-4
        return F.conv2d(x, self.gain[:, None, None, None] * self.weight / torch.sqrt(spread), self.bias, padding=1)
