"""A recurrent layer whose input is projected step by step."""

from __future__ import annotations

import torch
from torch import nn

BATCH, STEPS, WIDTH = (32, 64, 512) if torch.cuda.is_available() else (16, 48, 128)


class Recurrent(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.input_to_hidden = nn.Linear(width, width)
        self.hidden_to_hidden = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = x.new_zeros(x.size(0), self.width)
        outputs = []
        for t in range(x.size(1)):
            hidden = torch.tanh(self.input_to_hidden(x[:, t]) + self.hidden_to_hidden(hidden))
            outputs.append(hidden)
        return torch.stack(outputs, dim=1)


def get_init_inputs() -> list[int]:
    return [WIDTH]


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(BATCH, STEPS, WIDTH, requires_grad=True)]
