# target: GatedMLP
import torch
import torch.nn as nn


class GatedMLP(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.gate = nn.Linear(d, 2 * d)
        self.up = nn.Linear(d, 2 * d)
        self.down = nn.Linear(2 * d, d)
        self.act = nn.GELU()

    def forward(self, x):
        h = self.up(x) * self.act(self.gate(x))
        return x + self.down(h)


def get_init_inputs():
    return [12]


def get_inputs():
    return [torch.randn(3, 12)]
