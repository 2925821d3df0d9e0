"""One batched product over all modes of both bands instead of two einsums; the upper band wins where they overlap.

baseline: fourier_layer
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
        columns = torch.fft.fft(torch.fft.rfft(x)[..., :modes], dim=-2)
        lower = min(modes, height - modes)
        rows = torch.cat([columns[..., :lower, :], columns[..., -modes:, :]], dim=-2)
        weights = torch.cat([self.low[..., :lower, :], self.high], dim=-2)
        fields = rows.permute(2, 3, 0, 1).flatten(0, 1)
        products = torch.bmm(fields, weights.to(rows.dtype).permute(2, 3, 0, 1).flatten(0, 1))
        bands = products.view(lower + modes, modes, x.shape[0], -1).permute(2, 3, 0, 1)
        gap = bands.new_zeros(*bands.shape[:2], height - modes - lower, modes)
        mixed = torch.cat([bands[..., :lower, :], gap, bands[..., lower:, :]], dim=-2)
        smooth = torch.fft.irfft2(mixed, s=(height, width))
        return F.gelu(smooth + self.skip(x)), mixed.detach()
