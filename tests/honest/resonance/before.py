# target: Filter
"""A filter of two poles for each channel, which blows up once a pole leaves the unit circle."""

from __future__ import annotations

import torch
from torch import nn


class Filter(nn.Module):
    def __init__(self):
        super().__init__()
        self.radius = nn.Parameter(0.3 + 0.4 * torch.rand(8))
        self.angle = nn.Parameter(3 * torch.rand(8))

    def forward(self, x):
        back = 2 * self.radius * self.angle.cos(), -self.radius.square()
        first = second = torch.zeros_like(x[:, 0])
        outputs = []
        for sample in x.unbind(dim=1):
            first, second = sample + back[0] * first + back[1] * second, first
            outputs.append(first)
        return torch.stack(outputs, dim=1)


def get_inputs():
    return [torch.randn(8, 128)]
