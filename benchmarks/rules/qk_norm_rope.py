"""Queries and keys of an attention layer: heads normalised, then turned by their position."""

from __future__ import annotations

import torch
from torch import nn


def rotate_half(x: torch.Tensor) -> torch.Tensor:
    one, two = x.chunk(2, dim=-1)
    return torch.cat((-two, one), dim=-1)


class QueriesAndKeys(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.q_norm = nn.RMSNorm(width, eps=1e-6, dtype=torch.bfloat16)
        self.k_norm = nn.RMSNorm(width, eps=1e-6, dtype=torch.bfloat16)

    def forward(
        self, q: torch.Tensor, k: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        q = self.q_norm(q).transpose(1, 2)
        k = self.k_norm(k).transpose(1, 2)
        q = q * cos + rotate_half(q) * sin
        k = k * cos + rotate_half(k) * sin
        return q, k


def get_init_inputs() -> list[int]:
    return [128]


def get_inputs() -> list[torch.Tensor]:
    angles = torch.outer(torch.arange(2048.0), 10000.0 ** (-torch.arange(0, 128, 2) / 128)).repeat(1, 2)
    q, k = (torch.randn(4, 2048, heads, 128, dtype=torch.bfloat16) for heads in (32, 8))
    return [q, k, angles.cos().bfloat16(), angles.sin().bfloat16()]
