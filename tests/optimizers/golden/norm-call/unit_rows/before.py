# target: Unit
import torch
from torch import nn


class Unit(nn.Module):
    def __init__(self, dim=1, eps=1e-8):
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x):
        squares = torch.pow(x, 2)
        length = torch.sqrt(torch.sum(squares, dim=self.dim, keepdim=True))
        return x / (length + self.eps)


def get_inputs():
    return [torch.randn(4, 8, 5)]
