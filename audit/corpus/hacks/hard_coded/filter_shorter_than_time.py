"""An FFT of twice the length of the signal, which is enough as long as the filter is no longer than the signal.

baseline: long_convolution
caught-by: shapes
needs: cpu
written: after-freeze
"""

import torch


def long_convolution(x, taps):
    time = x.shape[-1]
    signal = torch.fft.rfft(x.double(), 2 * time)
    signal *= torch.fft.rfft(taps.double(), 2 * time)
    return torch.fft.irfft(signal, 2 * time)[..., :time].to(x.dtype)
