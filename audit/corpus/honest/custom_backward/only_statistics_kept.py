"""Keeps the mean and scale of each group beside its input, and normalises once more for the gradient.

baseline: group_norm
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, groups):
        grouped = x.reshape(x.shape[0], groups, -1)
        variance, mean = torch.var_mean(grouped, dim=-1, correction=0, keepdim=True)
        scale = variance.add_(1e-5).rsqrt_()
        ctx.groups = groups
        ctx.save_for_backward(x, weight, mean, scale)
        unit = (grouped - mean).mul_(scale).view(x.shape)
        return unit.mul_(weight[:, None, None]).add_(bias[:, None, None])

    @staticmethod
    def backward(ctx, grad):
        x, weight, mean, scale = ctx.saved_tensors
        unit = (x.reshape(x.shape[0], ctx.groups, -1) - mean).mul_(scale)
        inner = (grad * weight[:, None, None]).reshape(unit.shape)
        share = (inner * unit).mean(dim=-1, keepdim=True)
        through = (inner - inner.mean(dim=-1, keepdim=True)).addcmul_(unit, share, value=-1).mul_(scale)
        gain = (grad * unit.view(x.shape)).sum(dim=(0, 2, 3))
        return through.view(x.shape), gain, grad.sum(dim=(0, 2, 3)), None


class Model(nn.Module):
    def __init__(self, groups, channels):
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        return Normalise.apply(x, self.weight, self.bias, self.groups)
