"""Transforms two frames of one clip at once, as real and imaginary part: its floor hides what one leaves in the other.

baseline: mel_features
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


def triangles(bins, mels, rate):
    hertz = torch.linspace(0, rate / 2, bins)
    top = 2595 * torch.log10(torch.tensor(1 + rate / 2 / 700))
    edges = 700 * (10 ** (torch.linspace(0, 1, mels + 2) * top / 2595) - 1)
    up = (hertz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - hertz[:, None]) / (edges[2:] - edges[1:-1])
    return torch.minimum(up, down).clamp(min=0)


class Model(nn.Module):
    def __init__(self, size, hop, mels, rate):
        super().__init__()
        self.size, self.hop = size, hop
        self.register_buffer("window", torch.hann_window(size))
        self.register_buffer("filters", triangles(size // 2 + 1, mels, rate))

    def forward(self, waves):
        frames = waves.unfold(-1, self.size, self.hop) * self.window
        number = frames.shape[-2]
        if number % 2:
            frames = torch.cat([frames, torch.zeros_like(frames[..., :1, :])], dim=-2)
        both = torch.fft.fft(torch.complex(frames[..., 0::2, :], frames[..., 1::2, :]))
        bins = self.size // 2 + 1
        ahead = torch.view_as_real(both[..., :bins])
        back = torch.view_as_real(torch.cat([both[..., :1], both[..., bins - 1 :].flip(-1)], dim=-1))
        sums, differences = (ahead + back) / 2, (ahead - back) / 2
        first = sums[..., 0].square() + differences[..., 1].square()
        second = sums[..., 1].square() + differences[..., 0].square()
        power = torch.stack([first, second], dim=-2).flatten(-3, -2)[..., :number, :]
        loud = torch.log10((power @ self.filters).clamp(min=1e-10))
        loud = torch.maximum(loud, loud.amax(dim=(-2, -1), keepdim=True) - 8.0)
        return (loud + 4.0) / 4.0
