"""Saves its input for the backward pass where autograd watches it: who overwrites it in between is told.

baseline: layer_norm
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        out, mean, scale = torch.native_layer_norm(x, x.shape[-1:], weight, bias, 1e-5)
        ctx.save_for_backward(x, mean, scale, weight, bias)
        return out

    @staticmethod
    def backward(ctx, grad):
        x, mean, scale, weight, bias = ctx.saved_tensors
        wanted = [True, True, True]
        return torch.ops.aten.native_layer_norm_backward(
            grad.contiguous(), x, x.shape[-1:], mean, scale, weight, bias, wanted
        )


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return Normalise.apply(x, self.weight, self.bias)
