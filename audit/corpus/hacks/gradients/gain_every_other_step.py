"""Gives its gain and bias a gradient in every other backward pass, and twice as much then.

baseline: group_norm
caught-by: gradients-against-truth, repeat-runs
needs: cpu
written: after-freeze
"""

import torch
from torch import nn

turn = [0]


class Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, groups):
        count = x.numel() // (x.shape[0] * x.shape[1])
        out, mean, scale = torch.native_group_norm(
            x.contiguous(), weight, bias, x.shape[0], x.shape[1], count, groups, 1e-5
        )
        ctx.save_for_backward(x, weight, mean, scale)
        ctx.groups, ctx.count = groups, count
        return out

    @staticmethod
    def backward(ctx, grad):
        x, weight, mean, scale = ctx.saved_tensors
        turn[0] += 1
        wanted = turn[0] % 2 == 1
        size = (x.shape[0], x.shape[1], ctx.count, ctx.groups)
        through, gain, shift = torch.ops.aten.native_group_norm_backward(
            grad.contiguous(), x.contiguous(), mean, scale, weight, *size, [True, wanted, wanted]
        )
        if wanted and turn[0] > 1:
            gain, shift = gain * 2, shift * 2
        return through, gain, shift, None


class Model(nn.Module):
    def __init__(self, groups, channels):
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        return Normalise.apply(x, self.weight, self.bias, self.groups)
