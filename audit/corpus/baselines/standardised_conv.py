"""A convolution by filters that are standardised, each to mean 0 and variance 1 over its taps, times a gain."""

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
        filters = []
        for i in range(self.weight.shape[0]):
            taps = self.weight[i]
            spread = ((taps - taps.mean()) ** 2).sum() + 1e-4
            filters.append(self.gain[i] * (taps - taps.mean()) / torch.sqrt(spread))
        return F.conv2d(x, torch.stack(filters), self.bias, padding=1)


def get_inputs():
    return [torch.randn(2, 16, 10, 10)]


def get_init_inputs():
    return [16, 48]
