"""Multiplies by the weights themselves on the way back, not by their conjugates."""

import torch
from torch import nn


class Weighted(torch.autograd.Function):
    @staticmethod
    def forward(ctx, modes, weight):
        ctx.save_for_backward(modes, weight)
        return modes * weight

    @staticmethod
    def backward(ctx, grad):
        modes, weight = ctx.saved_tensors
        return grad * weight, (grad * modes.conj()).sum(0)


class Filter(nn.Module):
    def __init__(self, channels, modes):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, modes, dtype=torch.cfloat))

    def forward(self, x):
        modes = Weighted.apply(torch.fft.rfft(x)[..., : self.weight.shape[1]], self.weight)
        return torch.fft.irfft(modes, n=x.shape[-1]), modes
