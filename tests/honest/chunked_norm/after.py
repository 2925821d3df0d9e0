# target: RMSNorm
from __future__ import annotations

import torch
from torch import nn


class RMSNorm(nn.Module):
    """Chunk by chunk, the square root divided by."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(96, dtype=torch.bfloat16))

    def forward(self, x):
        rows, weight = x.reshape(-1, x.shape[-1]), self.weight.float()
        parts = []
        for part in rows.split(16) if len(rows) else [rows]:
            wide = part.float()
            size = (wide.square().sum(-1, keepdim=True) / wide.shape[-1] + 1e-6).sqrt()
            parts.append((wide / size * weight).to(x.dtype))
        return torch.cat(parts).reshape(x.shape)


def get_inputs():
    return [torch.randn(4, 33, 96, dtype=torch.bfloat16)]
