"""A causal convolution along time with a long filter for each channel, one tap after the other."""

import torch
import torch.nn.functional as F


def long_convolution(x, taps):
    longest, time = taps.shape[1], x.shape[-1]
    padded = F.pad(x, (longest - 1, 0))
    out = torch.zeros_like(x)
    for lag in range(longest):
        first = longest - 1 - lag
        out = out + padded[..., first : first + time] * taps[:, lag, None]
    return out


def get_inputs():
    fading = torch.exp(-torch.arange(64) / 6.0)
    return [torch.randn(4, 32, 128), torch.randn(32, 64) * fading]
