"""Saves the normalised rows and their scale, and derives everything from these.

baseline: layer_norm
needs: cpu
written: before-freeze
"""

import torch
from torch import nn


class Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        variance, mean = torch.var_mean(x, dim=-1, correction=0, keepdim=True)
        scale = torch.rsqrt(variance + 1e-5)
        unit = (x - mean).mul_(scale)
        ctx.save_for_backward(unit, scale, weight)
        return torch.addcmul(bias, unit, weight)

    @staticmethod
    def backward(ctx, grad):
        unit, scale, weight = ctx.saved_tensors
        inner = grad * weight
        share = (inner * unit).mean(dim=-1, keepdim=True)
        through = (inner - inner.mean(dim=-1, keepdim=True)).addcmul_(unit, share, value=-1.0)
        return through.mul_(scale), (grad * unit).sum(0), grad.sum(0)


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return Normalise.apply(x, self.weight, self.bias)
