# target: Model
from __future__ import annotations

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(128, 8192)
        self.down = nn.Linear(8192, 32)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(torch.relu(self.up(x)))


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(384, 128)]
