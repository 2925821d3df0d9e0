"""The forward algorithm of a hidden Markov model, scaled at every step so that nothing underflows."""

from __future__ import annotations

import torch
from torch import nn


class HiddenMarkovModel(nn.Module):
    def __init__(self, states: int) -> None:
        super().__init__()
        self.transition = nn.Parameter(torch.randn(states, states))
        self.prior = nn.Parameter(torch.randn(states))

    def forward(self, emission: torch.Tensor) -> torch.Tensor:
        belief = torch.softmax(self.prior, dim=-1).expand(emission.size(0), -1)
        log_likelihood = torch.zeros(emission.size(0), device=emission.device)
        for t in range(emission.size(1)):
            joint = (belief @ torch.softmax(self.transition, dim=-1)) * emission[:, t]
            scale = joint.sum(dim=-1, keepdim=True)
            belief = joint / scale
            log_likelihood = log_likelihood + torch.log(scale[:, 0])
        return log_likelihood


def get_init_inputs() -> list[int]:
    return [1024]


def get_inputs() -> list[torch.Tensor]:
    return [torch.rand(8, 32, 1024) + 0.01]
