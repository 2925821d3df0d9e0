"""Gives the real part of the filtered modes only."""

import torch
from torch import nn


class Filter(nn.Module):
    def __init__(self, channels, modes):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, modes, dtype=torch.cfloat))

    def forward(self, x):
        modes = torch.fft.rfft(x)[..., : self.weight.shape[1]] * self.weight
        return torch.fft.irfft(modes, n=x.shape[-1]), modes.real.to(modes.dtype)
