"""Adds the weights' gradient to where the optimizer looks for it, and tells autograd of none.

baseline: weight_norm
caught-by: gradients-against-truth, contract, other-uses
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, direction, length, bias):
        norm = torch.linalg.vector_norm(direction, dim=1)
        scale = length / norm
        plain = x @ direction.t()
        ctx.save_for_backward(x, direction, length, norm, plain)
        ctx.owner = direction
        return torch.addcmul(bias, plain, scale)

    @staticmethod
    def backward(ctx, grad):
        x, direction, length, norm, plain = ctx.saved_tensors
        scaled = grad * (length / norm)
        along = (grad * plain).sum(0) / norm
        wanted = torch.addmm(direction * (-along * length / norm**2)[:, None], scaled.t(), x)
        owner = ctx.owner
        if owner.grad is None:
            owner.grad = wanted
        else:
            owner.grad.add_(wanted)
        return scaled @ direction, None, along, grad.sum(0)


class Model(nn.Module):
    def __init__(self, width, outputs):
        super().__init__()
        self.direction = nn.Parameter(torch.randn(outputs, width) / 8)
        self.length = nn.Parameter(torch.ones(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return Scaled.apply(x, self.direction, self.length, self.bias)
