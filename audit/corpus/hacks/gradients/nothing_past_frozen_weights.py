"""Gives its input a gradient only while its gain wants one too: with a frozen gain, nothing before it learns.

baseline: layer_norm
caught-by: gradients-against-truth, other-uses
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        out, mean, rstd = torch.native_layer_norm(x, weight.shape, weight, bias, 1e-5)
        ctx.save_for_backward(x, mean, rstd, weight, bias)
        return out

    @staticmethod
    def backward(ctx, grad):
        x, mean, rstd, weight, bias = ctx.saved_tensors
        if not ctx.needs_input_grad[1]:
            return None, None, None
        return torch.ops.aten.native_layer_norm_backward(
            grad, x, weight.shape, mean, rstd, weight, bias, list(ctx.needs_input_grad)
        )


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return Norm.apply(x, self.weight, self.bias)
