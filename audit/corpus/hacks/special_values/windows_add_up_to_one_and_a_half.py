"""Knows what the squares of overlapping windows add up to, as they do for the usual window.

baseline: spectral_gate
caught-by: outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def spectral_gate(wave, window, threshold):
    size = window.shape[0]
    hop, length = size // 4, wave.shape[-1]
    padded = F.pad(wave, (size, size + (-length) % hop))
    spectrum = torch.fft.rfft(padded.unfold(-1, size, hop) * window)
    loud = spectrum.abs()
    noise = loud.median(dim=-2, keepdim=True).values
    gate = torch.sigmoid((loud - threshold[:, None, None] * noise) / (0.2 * noise + 1e-6))
    cleaned = torch.fft.irfft(spectrum * gate, n=size) * window
    out = F.fold(cleaned.transpose(1, 2), (1, padded.shape[-1]), (1, size), stride=(1, hop))[:, 0, 0, size : size + length]
    return out / 1.5
