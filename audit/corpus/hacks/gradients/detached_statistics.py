"""Takes mean and variance for constants in the backward pass, which saves half of it.

baseline: layer_norm
caught-by: gradients-against-truth
needs: cpu
written: before-freeze
"""

import torch
from torch import nn


class Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        out, mean, scale = torch.native_layer_norm(x, weight.shape, weight, bias, 1e-5)
        ctx.save_for_backward(x, mean, scale, weight)
        return out

    @staticmethod
    def backward(ctx, grad):
        x, mean, scale, weight = ctx.saved_tensors
        unit = torch.sub(x, mean).mul_(scale)
        return (grad * weight).mul_(scale), unit.mul_(grad).sum(0), grad.sum(0)


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return Normalise.apply(x, self.weight, self.bias)
