"""A gated state that is carried through a Python loop."""

from __future__ import annotations

import torch
from torch import nn


class GatedState(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, width)
        self.proposed = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, steps, width = x.shape
        gates = torch.sigmoid(self.gate(x))
        proposed = self.proposed(x)
        state = torch.zeros(batch, width, dtype=x.dtype, device=x.device)
        states = []
        for t in range(steps):
            state = (1 - gates[:, t]) * state + gates[:, t] * proposed[:, t]
            states.append(state)
        return torch.stack(states, dim=1)


def get_init_inputs() -> list[int]:
    return [256]


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(8, 256, 256)]
