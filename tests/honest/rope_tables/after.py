# target: Rotary
from __future__ import annotations

import torch
from torch import nn


class Rotary(nn.Module):
    """The tables are kept by length."""

    def __init__(self, width=32):
        super().__init__()
        self.width = width
        self._tables = {}

    def _table(self, length, device):
        if (length, device) not in self._tables:
            half = self.width // 2
            inverse = 10000.0 ** (-torch.arange(half, device=device, dtype=torch.float32) / half)
            angles = torch.arange(length, device=device, dtype=torch.float32)[:, None] * inverse
            self._tables[length, device] = angles.cos(), angles.sin()
        return self._tables[length, device]

    def forward(self, x):
        cos, sin = self._table(x.shape[-2], x.device)
        a, b = x.float().split(self.width // 2, dim=-1)
        return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1).to(x.dtype)


def get_inputs():
    return [torch.randn(2, 4, 40, 32, dtype=torch.bfloat16)]
