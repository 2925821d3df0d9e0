"""A normalisation and a gated activation, written out operation by operation."""

from __future__ import annotations

import math

import torch
from torch import nn

ROWS = 8192 if torch.cuda.is_available() else 1024


class NormGate(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width))

    def forward(self, x: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
        centred = x - x.mean(dim=-1, keepdim=True)
        variance = (centred * centred).mean(dim=-1, keepdim=True)
        normed = centred / torch.sqrt(variance + 1e-5) * self.gain + self.shift
        return normed * 0.5 * gate * (1 + torch.tanh(math.sqrt(2 / math.pi) * (gate + 0.044715 * gate**3)))


def get_init_inputs() -> list[int]:
    return [1024]


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(ROWS, 1024), torch.randn(ROWS, 1024)]
