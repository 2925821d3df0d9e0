"""Hard example mining: the mean of the largest losses of each row, by a sort of all of them."""

from __future__ import annotations

import torch
from torch import nn

ROWS, COLUMNS, KEPT = (2048, 16384, 64) if torch.cuda.is_available() else (256, 2000, 16)


class HardestLosses(nn.Module):
    def __init__(self, kept: int) -> None:
        super().__init__()
        self.kept = kept

    def forward(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        loss = torch.square(logits - target)
        ordered = torch.sort(loss, dim=1, descending=True)[0]
        return ordered[:, : self.kept].mean()


def get_init_inputs() -> list[int]:
    return [KEPT]


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(ROWS, COLUMNS, requires_grad=True), torch.randn(ROWS, COLUMNS)]
