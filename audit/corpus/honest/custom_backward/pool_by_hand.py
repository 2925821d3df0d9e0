"""Powers through logarithms, which the backward pass uses again.

baseline: gem_pool
needs: cpu
written: after-freeze
"""

import torch
from torch import nn
from torch.autograd.function import once_differentiable


class Pool(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, p):
        logs = x.clamp(min=1e-6).log_()
        mean = (logs * p).exp_().mean(dim=(2, 3))
        out = mean ** (1.0 / p)
        ctx.save_for_backward(x, logs, mean, out, p)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        x, logs, mean, out, p = ctx.saved_tensors
        for_x = for_p = None
        powers = torch.exp(logs * p)
        if ctx.needs_input_grad[1]:
            slope = (powers * logs).mean(dim=(2, 3)) / (mean * p) - mean.log() / (p * p)
            for_p = (grad * out * slope).sum().reshape(1)
        if ctx.needs_input_grad[0]:
            flowing = grad * out / (mean * (x.shape[2] * x.shape[3]))
            for_x = powers.div_(logs.exp()).mul_(flowing[:, :, None, None]).masked_fill_(x < 1e-6, 0.0)
        return for_x, for_p


class Model(nn.Module):
    def __init__(self, exponent):
        super().__init__()
        self.p = nn.Parameter(torch.full((1,), exponent))

    def forward(self, x):
        return Pool.apply(x, self.p)
