"""Filters are standardised by batch_norm, of which each is a channel.

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

    def forward(self, x):
        taps = self.weight[0].numel()
        flat = self.weight.reshape(1, -1, taps)
        flat = F.batch_norm(flat, None, None, self.gain * taps**-0.5, training=True, momentum=0.0, eps=1e-4 / taps)
        return F.conv2d(x, flat.view_as(self.weight), self.bias, padding=1)
