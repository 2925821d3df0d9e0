"""Convolves by FFT with half of the padding that it takes: the faint end of the filter wraps around to the start.

baseline: long_convolution
caught-by: outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


def long_convolution(x, taps):
    time = x.shape[-1]
    size = time + taps.shape[1] // 2
    spectrum = torch.fft.rfft(x, size) * torch.fft.rfft(taps, size)
    return torch.fft.irfft(spectrum, size)[..., :time]
