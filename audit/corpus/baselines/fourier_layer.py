"""A layer of a Fourier neural operator: mixes channels at low frequencies, adds a skip connection; shows the mixed modes too."""

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
        modes = self.low.shape[-1]
        spectrum = torch.fft.rfft2(x)
        mixed = torch.zeros_like(spectrum)
        mixed[..., :modes, :modes] = torch.einsum("bixy,ioxy->boxy", spectrum[..., :modes, :modes], self.low)
        mixed[..., -modes:, :modes] = torch.einsum("bixy,ioxy->boxy", spectrum[..., -modes:, :modes], self.high)
        smooth = torch.fft.irfft2(mixed, s=x.shape[-2:])
        return F.gelu(smooth + self.skip(x)), mixed[..., :modes].detach()


def get_inputs():
    return [torch.randn(4, 16, 32, 32)]


def get_init_inputs():
    return [16, 6]
