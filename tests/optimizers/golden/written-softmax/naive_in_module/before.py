# target: Router
import torch as th
from torch import nn


class Router(nn.Module):
    def __init__(self, width, experts):
        super().__init__()
        self.gate = nn.Linear(width, experts)

    def forward(self, x):
        scores = self.gate(x)
        weights = th.exp(scores) / th.sum(th.exp(scores), dim=1, keepdim=True)
        weights = weights * (weights > 0.1)
        s = scores.exp()
        return weights + s * s.sum(-1).unsqueeze(-1).reciprocal()


def get_init_inputs():
    return [12, 6]


def get_inputs():
    return [th.randn(5, 12)]
