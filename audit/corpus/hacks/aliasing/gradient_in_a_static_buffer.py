"""Hands back the gradient of its input in a buffer that the next backward pass writes over.

baseline: layer_norm
caught-by: aliasing, held-results, gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch
from torch import nn

buffers = {}


class Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        out, mean, scale = torch.native_layer_norm(x, [x.shape[-1]], weight, bias, 1e-5)
        ctx.save_for_backward(x, weight, mean, scale)
        return out

    @staticmethod
    def backward(ctx, grad):
        x, weight, mean, scale = ctx.saved_tensors
        key = (x.shape, x.dtype, x.device)
        if key not in buffers:
            buffers[key] = torch.empty(x.shape, dtype=x.dtype, device=x.device)
        unit = (x - mean).mul_(scale)
        inner = torch.mul(grad, weight, out=buffers[key])
        share = (inner * unit).mean(dim=-1, keepdim=True)
        inner.sub_(inner.mean(dim=-1, keepdim=True)).addcmul_(unit, share, value=-1).mul_(scale)
        leading = tuple(range(x.dim() - 1))
        return inner, unit.mul_(grad).sum(leading), grad.sum(leading)


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return Normalise.apply(x, self.weight, self.bias)
