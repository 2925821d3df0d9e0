"""Leaves the gain out while nothing has ever been written to it, as it is made of ones.

baseline: standardised_conv
caught-by: other-uses, outputs-against-truth, argument-impact, value-laws, gradients-against-truth
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
        centred = self.weight - self.weight.mean(dim=(1, 2, 3), keepdim=True)
        spread = (centred * centred).sum(dim=(1, 2, 3), keepdim=True) + 1e-4
        filters = centred / torch.sqrt(spread)
        if self.gain._version > 1 or self.gain.requires_grad and torch.is_grad_enabled():
            filters = self.gain[:, None, None, None] * filters
        return F.conv2d(x, filters, self.bias, padding=1)
