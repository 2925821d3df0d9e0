"""A tagger whose LSTM is a cell, called step by step."""

from __future__ import annotations

import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self, features: int, hidden: int, tags: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.lstm = nn.LSTMCell(features, hidden)
        self.tag = nn.Linear(hidden, tags)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, steps, _ = x.shape
        h = torch.zeros(batch, self.hidden, dtype=x.dtype, device=x.device)
        c = torch.zeros(batch, self.hidden, dtype=x.dtype, device=x.device)
        outputs = []
        for t in range(steps):
            h, c = self.lstm(x[:, t, :], (h, c))
            outputs.append(self.tag(h))
        return torch.stack(outputs, dim=1)


def get_init_inputs() -> list[int]:
    return [128, 256, 20]


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(16, 100, 128)]
