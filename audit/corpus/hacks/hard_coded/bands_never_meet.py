"""Puts the two bands of frequencies side by side; in a field so small that they overlap, they should not be added.

baseline: fourier_layer
caught-by: shapes, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, channels, modes):
        super().__init__()
        scale = 1 / channels**2
        self.low = nn.Parameter(scale * torch.rand(channels, channels, modes, modes, dtype=torch.cfloat))
        self.high = nn.Parameter(scale * torch.rand(channels, channels, modes, modes, dtype=torch.cfloat))
        self.skip = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        modes, (height, width) = self.low.shape[-1], x.shape[-2:]
        rows = torch.fft.fft(torch.fft.rfft(x)[..., :modes], dim=-2)
        low = torch.einsum("bixy,ioxy->boxy", rows[..., :modes, :], self.low)
        high = torch.einsum("bixy,ioxy->boxy", rows[..., -modes:, :], self.high)
        gap = height - modes
        mixed = F.pad(low, (0, 0, 0, gap)) + F.pad(high, (0, 0, gap, 0))
        smooth = torch.fft.irfft(torch.fft.ifft(mixed, dim=-2), n=width)
        return F.gelu(smooth + self.skip(x)), mixed.detach()
