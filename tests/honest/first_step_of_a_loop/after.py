# target: Loop
"""Leaves the product with zeros out: of one step alone the weight has no gradient, where it was zero."""

from __future__ import annotations

import torch
from torch import nn


class Loop(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(12, 12) / 12**0.5)

    def forward(self, x):
        state, states = None, []
        for sample in x:
            state = torch.tanh(sample if state is None else torch.addmm(sample, state, self.weight))
            states.append(state)
        return torch.stack(states)


def get_inputs():
    return [torch.randn(10, 4, 12)]
