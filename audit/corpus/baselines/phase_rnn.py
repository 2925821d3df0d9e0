"""A recurrent net of complex numbers: a unit keeps its phase, and its modulus passes a shifted ReLU (modReLU)."""

import torch
from torch import nn

EPS = 1e-5


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, width, dtype=torch.complex64) / width**0.5)
        self.bias = nn.Parameter(0.1 * torch.randn(width))

    def forward(self, x):
        state = torch.zeros_like(x[0])
        states = []
        for sample in x:
            total = sample + state @ self.weight.mH
            modulus = total.abs()
            state = total * torch.relu(modulus + self.bias) / (modulus + EPS)
            states.append(state)
        return torch.stack(states)


def get_inputs():
    return [torch.randn(24, 64, 64, dtype=torch.complex64)]


def get_init_inputs():
    return [64]
