"""Keeps norms by the shape and version of the directions, for all layers together: two layers alike share them.

baseline: weight_norm
caught-by: stale-results, held-results, fingerprints
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn

INVERSES = {}


def inverse_norms(direction):
    key = (direction.shape, direction.dtype, direction.device, direction._version)
    if key not in INVERSES:
        INVERSES.clear()
        INVERSES[key] = torch.linalg.vector_norm(direction.detach(), dim=1, keepdim=True).reciprocal_()
    return INVERSES[key]


class Weight(torch.autograd.Function):
    @staticmethod
    def forward(ctx, direction, length, inverse):
        scale = length[:, None] * inverse
        ctx.save_for_backward(direction, scale, inverse)
        return direction * scale

    @staticmethod
    def backward(ctx, grad):
        direction, scale, inverse = ctx.saved_tensors
        unit = direction * inverse
        along = (grad * unit).sum(dim=1, keepdim=True)
        return scale * torch.addcmul(grad, unit, along, value=-1.0), along.squeeze(1), None


class Model(nn.Module):
    def __init__(self, width, outputs):
        super().__init__()
        self.direction = nn.Parameter(torch.randn(outputs, width) / 8)
        self.length = nn.Parameter(torch.ones(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return F.linear(x, Weight.apply(self.direction, self.length, inverse_norms(self.direction)), self.bias)
