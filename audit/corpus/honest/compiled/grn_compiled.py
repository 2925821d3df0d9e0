"""The original, compiled.

baseline: grn
needs: cpu
written: before-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        return respond(x, self.gamma, self.beta)


@torch.compile
def respond(x, gamma, beta):
    power = torch.sqrt((x * x).sum(dim=(1, 2), keepdim=True))
    share = power / (power.mean(dim=-1, keepdim=True) + 1e-6)
    return gamma * (x * share) + beta + x
