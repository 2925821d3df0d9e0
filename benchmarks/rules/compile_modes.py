from __future__ import annotations

import torch
from torch import nn


class GatedBlock(nn.Module):
    def __init__(self, width: int = 1024, hidden: int = 2816) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.gate = nn.Linear(width, hidden, bias=False)
        self.up = nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.norm(x)
        return x + self.down(torch.sigmoid(self.gate(h)) * self.gate(h) * self.up(h))


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(8, 1024, 1024)]
