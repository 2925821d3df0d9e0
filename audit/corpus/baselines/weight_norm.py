"""A linear layer whose weights are a direction and a length for each output; trained."""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width, outputs):
        super().__init__()
        self.direction = nn.Parameter(torch.randn(outputs, width) / 8)
        self.length = nn.Parameter(torch.ones(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        norm = self.direction.pow(2).sum(dim=1, keepdim=True).sqrt()
        weight = self.length[:, None] * self.direction / norm
        return x @ weight.t() + self.bias


def get_inputs():
    return [torch.randn(32, 256)]


def get_init_inputs():
    return [256, 384]
