# target: Rotary
from __future__ import annotations

import torch
from torch import nn


class Rotary(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.width = width

    def forward(self, x):
        half = self.width // 2
        inverse = 10000.0 ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
        angles = torch.arange(x.shape[-2], device=x.device, dtype=torch.float32)[:, None] * inverse
        a, b = x.float().split(half, dim=-1)
        turned = torch.cat([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], dim=-1)
        return turned.to(x.dtype)


def get_inputs():
    return [torch.randn(2, 4, 40, 32, dtype=torch.bfloat16)]
