"""Cuts the echo of each sample after sixty more, when new filters have long been silent."""

import torch
from torch import nn

LENGTH = 60


class Filter(nn.Module):
    def __init__(self):
        super().__init__()
        self.pole = nn.Parameter(0.3 + 0.3 * torch.rand(8))

    def forward(self, x):
        powers = torch.arange(min(LENGTH, x.shape[1]) - 1, -1, -1, dtype=x.dtype)
        echo = self.pole[:, None] ** powers
        padded = nn.functional.pad(x, (echo.shape[1] - 1, 0))
        return (padded.unfold(1, echo.shape[1], 1) * echo[:, None]).sum(dim=2)
