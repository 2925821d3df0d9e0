"""Keeps the standardised filters while nothing learns, for as long as both parameters are the same and unwritten.

baseline: standardised_conv
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
        self.kept = None

    def filters(self):
        centred = self.weight - self.weight.mean(dim=(1, 2, 3), keepdim=True)
        spread = (centred * centred).sum(dim=(1, 2, 3), keepdim=True) + 1e-4
        return self.gain[:, None, None, None] * (centred / torch.sqrt(spread))

    def forward(self, x):
        if torch.is_grad_enabled() or self.training:
            return F.conv2d(x, self.filters(), self.bias, padding=1)
        state = [(one.data_ptr(), one._version, one.dtype, one.shape) for one in (self.weight, self.gain)]
        if self.kept is None or self.kept[0] != state:
            self.kept = state, self.filters(), self.weight, self.gain
        return F.conv2d(x, self.kept[1], self.bias, padding=1)
