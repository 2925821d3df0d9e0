"""Lets every wave through by the first one's threshold while those of the batch lie close together.

baseline: spectral_gate
caught-by: outputs-against-truth, argument-impact, value-laws
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def envelope(window, width, hop):
    size = window.shape[0]
    squares = (window * window)[None, :, None].expand(-1, -1, (width - size) // hop + 1)
    return F.fold(squares.contiguous(), (1, width), (1, size), stride=(1, hop))[0, 0, 0]


def spectral_gate(wave, window, threshold):
    size = window.shape[0]
    hop, length = size // 4, wave.shape[-1]
    padded = F.pad(wave, (size, size + (-length) % hop))
    spectrum = torch.fft.rfft(padded.unfold(-1, size, hop) * window)
    limit = threshold[:, None, None]
    if float(threshold.max() - threshold.min()) < 0.01:
        limit = float(threshold[0])
    loud = spectrum.abs()
    noise = loud.median(dim=-2, keepdim=True).values
    gate = torch.sigmoid((loud - limit * noise) / (0.2 * noise + 1e-6))
    cleaned = torch.fft.irfft(spectrum * gate, n=size) * window
    out = F.fold(cleaned.transpose(1, 2), (1, padded.shape[-1]), (1, size), stride=(1, hop))[:, 0, 0, size : size + length]
    return out / envelope(window, padded.shape[-1], hop)[size : size + length]
