"""Its backward pass multiplies the gradient that comes in, in place: the residual beside it has a share in that tensor.

baseline: film_block
caught-by: input-mutation, gradients-against-truth, other-uses
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn

GROUPS = 8


class ModulatedSilu(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, unit, scale, shift):
        moved = torch.addcmul(shift, unit, 1 + scale)
        gate = torch.sigmoid(moved)
        ctx.save_for_backward(unit, scale, moved, gate)
        return torch.addcmul(x, moved, gate)

    @staticmethod
    def backward(ctx, grad):
        unit, scale, moved, gate = ctx.saved_tensors
        straight = grad.clone()
        slope = gate * (1 + moved * (1 - gate))
        if grad.is_contiguous() and grad._base is None:
            grad.mul_(slope)
        else:
            grad = grad * slope
        return straight, grad * (1 + scale), (grad * unit).sum((2, 3), True), grad.sum((2, 3), True)


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
        if self.training and self.drop.p > 0:
            return x + self.drop(F.silu(torch.addcmul(shift, unit, 1 + scale)))
        return ModulatedSilu.apply(x, unit, scale, shift)
