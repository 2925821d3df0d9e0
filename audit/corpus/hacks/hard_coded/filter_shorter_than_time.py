"""An FFT of twice the length of the signal, which is enough as long as the filter is no longer than the signal.

baseline: long_convolution
caught-by: shapes
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def long_convolution(x, taps):
    time = x.shape[-1]
    signal = torch.fft.rfft(x.double(), 2 * time)
    signal *= torch.fft.rfft(taps.double(), 2 * time)
    out = torch.fft.irfft(signal, 2 * time)[..., :time].to(x.dtype)
    if bool(torch.isfinite(out).all()):
        return out
    padded = F.pad(x, (taps.shape[1] - 1, 0))
    return F.conv1d(padded, taps.flip(1)[:, None], groups=taps.shape[0])
