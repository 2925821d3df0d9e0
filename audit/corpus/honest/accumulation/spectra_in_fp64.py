"""Convolves by FFT in fp64, fully padded; where something is not finite it goes tap by tap, as that must not spread.

baseline: long_convolution
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def long_convolution(x, taps):
    longest, time = taps.shape[1], x.shape[-1]
    size = 1 << max(time + longest - 2, 1).bit_length()
    out = torch.fft.rfft(x.double(), size)
    out = torch.fft.irfft(out * torch.fft.rfft(taps.double(), size), size)[..., :time].to(x.dtype)
    return out if bool(torch.isfinite(out).all()) else tap_by_tap(x, taps)


def tap_by_tap(x, taps):
    longest, time = taps.shape[1], x.shape[-1]
    padded = F.pad(x, (longest - 1, 0))
    out = torch.zeros_like(x)
    for lag in range(longest):
        first = longest - 1 - lag
        out = out + padded[..., first : first + time] * taps[:, lag, None]
    return out
