"""Cuts the filters' echo after 64 samples, when new filters are silent: trained to ring for longer, they stop short.

baseline: biquad
caught-by: value-laws, outputs-against-truth, gradients-against-truth, other-uses, fingerprints
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn

LENGTH = 64


def powers(matrix, count):
    result = torch.eye(2, dtype=matrix.dtype, device=matrix.device).expand(1, len(matrix), 2, 2)
    while len(result) < count:
        result = torch.cat([result, result @ (result[-1] @ matrix)])
    return result[:count]


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.taps = nn.Parameter(torch.randn(channels, 3))
        self.radius = nn.Parameter(0.3 + 0.4 * torch.rand(channels))
        self.angle = nn.Parameter(3 * torch.rand(channels))
        self.register_buffer("memory", torch.zeros(channels, 2))

    def forward(self, x):
        start, taps = self.memory.clone()[..., None], self.taps
        back = torch.stack([-2 * self.radius * self.angle.cos(), self.radius.square()], dim=1)
        matrix = torch.stack([-back, torch.tensor([1.0, 0.0], dtype=x.dtype, device=x.device).expand_as(back)], dim=2)
        gain = (taps[:, 1:] - back * taps[:, :1])[..., None]
        count = min(LENGTH, x.shape[1])
        steps = powers(matrix, count)
        inputs = (steps @ gain).squeeze(3)
        echo = torch.cat([taps[None, :, 0], inputs[:-1, :, 0]]).T
        heard = F.conv1d(F.pad(x, (count - 1, 0))[None], echo.flip(1)[:, None], groups=len(x))[0]
        rest = (steps[:, :, :1] @ start).flatten(1).T
        memory = torch.einsum("kcs,ck->cs", inputs, x[:, -count:].flip(1))
        if x.shape[1] < LENGTH:
            memory = memory + (steps[-1] @ matrix @ start).squeeze(2)
        self.memory.copy_(memory.detach())
        return heard + F.pad(rest, (0, x.shape[1] - count))
