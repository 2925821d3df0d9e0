"""An embedding as a product with one-hot rows."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

ROWS, TOKENS, WIDTH = (8192, 16384, 1024) if torch.cuda.is_available() else (512, 2048, 128)


class Embed(nn.Module):
    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.tokens = tokens
        self.weight = nn.Parameter(torch.randn(tokens, width))

    def forward(self, idx: torch.Tensor) -> torch.Tensor:
        hot = F.one_hot(idx, num_classes=self.tokens).float()
        return hot @ self.weight


def get_init_inputs() -> list[int]:
    return [TOKENS, WIDTH]


def get_inputs() -> list[torch.Tensor]:
    return [torch.randint(0, TOKENS, (ROWS,))]
