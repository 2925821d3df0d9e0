"""Both bands in one function with its backward pass by hand, conjugates where they belong.

baseline: fourier_layer
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Mixed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, columns, low, high):
        modes = low.shape[-1]
        ctx.save_for_backward(columns, low, high)
        mixed = torch.zeros_like(columns)
        mixed[..., :modes, :] = torch.einsum("bixy,ioxy->boxy", columns[..., :modes, :], low)
        mixed[..., -modes:, :] = torch.einsum("bixy,ioxy->boxy", columns[..., -modes:, :], high)
        return mixed

    @staticmethod
    def backward(ctx, grad):
        columns, low, high = ctx.saved_tensors
        modes, height = low.shape[-1], columns.shape[-2]
        kept = min(modes, height - modes)
        to_low, to_columns = torch.zeros_like(low), torch.zeros_like(columns)
        lower, upper = grad[..., :kept, :], grad[..., -modes:, :]
        to_columns[..., :kept, :] = torch.einsum("boxy,ioxy->bixy", lower, low[..., :kept, :].conj())
        to_columns[..., -modes:, :] += torch.einsum("boxy,ioxy->bixy", upper, high.conj())
        to_low[..., :kept, :] = torch.einsum("bixy,boxy->ioxy", columns[..., :kept, :].conj(), lower)
        return to_columns, to_low, torch.einsum("bixy,boxy->ioxy", columns[..., -modes:, :].conj(), upper)


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
        mixed = Mixed.apply(columns, self.low, self.high)
        smooth = torch.fft.irfft(torch.fft.ifft(mixed, dim=-2), n=width)
        return F.gelu(smooth + self.skip(x)), mixed.detach()
