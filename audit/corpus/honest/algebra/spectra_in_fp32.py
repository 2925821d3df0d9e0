"""Convolves by FFT, fully padded; where something is not finite it goes tap by tap, as that must not spread.

baseline: long_convolution
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def long_convolution(x, taps):
    longest, time = taps.shape[1], x.shape[-1]
    size = 1 << max(time + longest - 2, 1).bit_length()
    spectrum = torch.fft.rfft(x, size).mul_(torch.fft.rfft(taps, size))
    out = torch.fft.irfft(spectrum, size)[..., :time].contiguous()
    return out if bool(torch.isfinite(out).all()) else tap_by_tap(x, taps)


def tap_by_tap(x, taps):
    longest, time = taps.shape[1], x.shape[-1]
    padded = F.pad(x, (longest - 1, 0))
    out = torch.zeros_like(x)
    for lag in range(longest):
        first = longest - 1 - lag
        out = out + padded[..., first : first + time] * taps[:, lag, None]
    return out
