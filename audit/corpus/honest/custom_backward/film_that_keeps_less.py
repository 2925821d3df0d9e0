"""Keeps the modulated values alone and computes the gate anew in its backward pass.

baseline: film_block
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd.function import once_differentiable

GROUPS = 8


class ModulatedSilu(torch.autograd.Function):
    @staticmethod
    def forward(ctx, unit, scale, shift):
        ctx.save_for_backward(unit, scale, shift)
        return F.silu(torch.addcmul(shift, unit, 1 + scale))

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        unit, scale, shift = ctx.saved_tensors
        gain = 1 + scale
        moved = torch.addcmul(shift, unit, gain)
        gate = torch.sigmoid(moved)
        inner = grad * gate * (1 + moved * (1 - gate))
        return inner * gain, (inner * unit).sum((2, 3), True), inner.sum((2, 3), True)


class Model(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels) + 0.1 * torch.randn(channels))
        self.bias = nn.Parameter(0.1 * torch.randn(channels))
        self.project = nn.Linear(width, 2 * channels)
        self.drop = nn.Dropout(0.1)

    def forward(self, x, condition):
        unit = F.group_norm(x, GROUPS, self.weight, self.bias, 1e-5)
        scale, shift = self.project(F.silu(condition))[..., None, None].chunk(2, dim=1)
        return x + self.drop(ModulatedSilu.apply(unit, scale, shift))
