# target: Gated
import torch
from torch import nn


class Gated(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gate = nn.Linear(width, 1)
        self.values = nn.Linear(width, width)
        self.start = nn.Parameter(torch.randn(width))

    def forward(self, x):
        steps = x.size(1)
        z = torch.sigmoid(self.gate(x))
        v = self.values(x)
        h = self.start
        for i in range(steps):
            h = (1 - z[:, i]) * h + z[:, i] * v[:, i]
        return h


def get_init_inputs():
    return [6]


def get_inputs():
    return [torch.randn(3, 10, 6)]
