"""Keeps the norms of its directions until somebody calls train() or eval(): an optimizer's step does not.

baseline: weight_norm
caught-by: stale-results, outputs-against-truth, gradients-against-truth, timed-outputs
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Weight(torch.autograd.Function):
    @staticmethod
    def forward(ctx, direction, length, inverse):
        ctx.save_for_backward(direction, length, inverse)
        return direction * (length[:, None] * inverse)

    @staticmethod
    def backward(ctx, grad):
        direction, length, inverse = ctx.saved_tensors
        unit = direction * inverse
        along = (grad * unit).sum(dim=1, keepdim=True)
        return torch.addcmul(grad, unit, along, value=-1).mul_(length[:, None] * inverse), along.squeeze(1), None


class Model(nn.Module):
    inverse = None

    def __init__(self, width, outputs):
        super().__init__()
        self.direction = nn.Parameter(torch.randn(outputs, width) / 8)
        self.length = nn.Parameter(torch.ones(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def train(self, mode=True):
        self.inverse = None
        return super().train(mode)

    def forward(self, x):
        if self.inverse is None or self.inverse.dtype != x.dtype:
            with torch.no_grad():
                self.inverse = 1 / self.direction.norm(dim=1, keepdim=True)
        return torch.addmm(self.bias, x, Weight.apply(self.direction, self.length, self.inverse).t())
