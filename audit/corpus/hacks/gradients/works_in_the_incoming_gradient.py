"""Multiplies into the gradient that flows in, which is not its own: a sum hands the same one to its other branch.

baseline: gem_pool
caught-by: gradients-against-truth, input-mutation, aliasing
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Pool(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, p):
        inner = x.clamp(min=1e-6)
        logs = inner.log()
        mean = (logs * p).exp_().mean(dim=(2, 3))
        out = mean ** (1.0 / p)
        ctx.save_for_backward(x, logs, mean, out, p)
        return out

    @staticmethod
    def backward(ctx, grad):
        x, logs, mean, out, p = ctx.saved_tensors
        powers = torch.exp(logs * p)
        slope = (powers * logs).mean(dim=(2, 3)) / (mean * p) - mean.log() / (p * p)
        for_p = (grad * out * slope).sum().reshape(1)
        grad = grad.contiguous()
        grad.mul_(out).div_(mean).div_(x.shape[2] * x.shape[3])
        for_x = powers.div_(logs.exp()).mul_(grad[:, :, None, None])
        return torch.where(x >= 1e-6, for_x, 0.0), for_p


class Model(nn.Module):
    def __init__(self, exponent):
        super().__init__()
        self.p = nn.Parameter(torch.full((1,), exponent))

    def forward(self, x):
        return Pool.apply(x, self.p)
