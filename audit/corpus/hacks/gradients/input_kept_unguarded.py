"""Keeps its input past autograd's guard: who adds a residual in place before the backward pass gets other gradients.

baseline: layer_norm
caught-by: other-uses, gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        out, mean, scale = torch.native_layer_norm(x, x.shape[-1:], weight, bias, 1e-5)
        ctx.x, ctx.mean, ctx.scale = x.detach(), mean, scale
        ctx.save_for_backward(weight, bias)
        return out

    @staticmethod
    def backward(ctx, grad):
        weight, bias = ctx.saved_tensors
        wanted = [True, True, True]
        return torch.ops.aten.native_layer_norm_backward(
            grad.contiguous(), ctx.x, ctx.x.shape[-1:], ctx.mean, ctx.scale, weight, bias, wanted
        )


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return Normalise.apply(x, self.weight, self.bias)
