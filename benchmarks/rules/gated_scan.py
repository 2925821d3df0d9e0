"""A layer of gated states: the gates and inputs of all steps at once, the states in a Python loop."""

from __future__ import annotations

import torch
from torch import nn


class GatedStates(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.decay = nn.Linear(width, width)
        self.proposed = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, steps, width = x.shape
        decays = torch.sigmoid(self.decay(x))
        proposed = self.proposed(x)
        state = torch.zeros(batch, width, dtype=x.dtype, device=x.device)
        states = []
        for t in range(steps):
            state = decays[:, t] * state + proposed[:, t]
            states.append(state)
        return torch.stack(states, dim=1)


def get_init_inputs() -> list[int]:
    return [1024]


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(8, 512, 1024)]
