"""Multiplies real and imaginary parts as one real matrix of twice the width, which is laid out once for each call.

baseline: phase_rnn
needs: cpu
written: after-freeze
"""

import torch
from torch import nn

EPS = 1e-5


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, width, dtype=torch.complex64) / width**0.5)
        self.bias = nn.Parameter(0.1 * torch.randn(width))

    def forward(self, x):
        real, imaginary = self.weight.real.T, self.weight.imag.T
        block = torch.cat([torch.cat([real, -imaginary], dim=1), torch.cat([imaginary, real], dim=1)])
        state, states = None, []
        for sample in torch.cat([x.real, x.imag], dim=2):
            with torch.autocast(x.device.type, enabled=False):
                total = sample if state is None else torch.addmm(sample, state, block)
            left, right = total.chunk(2, dim=1)
            modulus = torch.hypot(left, right)
            share = torch.relu(modulus + self.bias) / (modulus + EPS)
            state = torch.cat([left * share, right * share], dim=1)
            states.append(state)
        left, right = torch.stack(states).chunk(2, dim=2)
        return torch.complex(left, right)
