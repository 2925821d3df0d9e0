# target: Router
import torch as th
from torch import nn


class Router(nn.Module):
    def __init__(self, width, experts):
        super().__init__()
        self.gate = nn.Linear(width, experts)

    def forward(self, x):
        scores = self.gate(x)
        weights = th.softmax(scores, dim=1)
        weights = weights * (weights > 0.1)
        return weights + th.softmax(scores, dim=-1)


def get_init_inputs():
    return [12, 6]


def get_inputs():
    return [th.randn(5, 12)]
