"""Adds the bias by its share of the modulus, without the small term under that: faint units are blown up.

baseline: phase_rnn
caught-by: outputs-against-truth, value-laws, gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, width, dtype=torch.complex64) / width**0.5)
        self.bias = nn.Parameter(0.1 * torch.randn(width))

    def forward(self, x):
        weight, state, states = self.weight.mH, None, []
        for sample in x:
            total = sample if state is None else torch.addmm(sample, state, weight)
            state = total * torch.relu(1 + self.bias / total.abs())
            states.append(state)
        return torch.stack(states)
