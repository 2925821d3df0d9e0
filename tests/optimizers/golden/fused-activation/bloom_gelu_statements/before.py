# target: MLP
import torch
from torch import nn


class MLP(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.c = 0.79788456

    def forward(self, x):
        h = self.up(x)
        # the approximation by tanh
        inner = self.c * h * (1 + 0.044715 * h * h)
        t = torch.tanh(inner)
        h = h * 0.5 * (1.0 + t)
        return self.down(h)


def get_init_inputs():
    return [12]


def get_inputs():
    return [torch.randn(2, 5, 12)]
