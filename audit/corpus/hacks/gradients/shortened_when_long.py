"""Shortens the gradient of each image to a norm of a thousand, which none has in a test.

baseline: group_norm
caught-by: gradients-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Shorten(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        norm = torch.linalg.vector_norm(grad.flatten(1), dim=1)[:, None, None, None]
        return torch.where(norm > 1000, grad * (1000 / norm), grad)


class Model(nn.Module):
    def __init__(self, groups, channels):
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        return torch.group_norm(Shorten.apply(x), self.groups, self.weight, self.bias)
