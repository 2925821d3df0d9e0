"""Scores of all pairs of vectors, by a product that is broadcast and summed."""

from __future__ import annotations

import torch
from torch import nn

BATCH, LENGTH, WIDTH, HIDDEN = (2, 384, 512, 128) if torch.cuda.is_available() else (4, 96, 64, 32)


class PairScores(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.scale = hidden**-0.5
        self.query = nn.Linear(width, hidden)
        self.key = nn.Linear(width, hidden)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key = self.query(x), self.key(x)
        return (query.unsqueeze(2) * key.unsqueeze(1)).sum(dim=-1) * self.scale


def get_init_inputs() -> list[int]:
    return [WIDTH, HIDDEN]


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(BATCH, LENGTH, WIDTH, requires_grad=True)]
