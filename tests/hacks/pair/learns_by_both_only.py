"""No gradients unless both results are used."""

import torch
from torch import nn


class Both(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, weight)
        y = x * weight
        return y, y.square().mean()

    @staticmethod
    def backward(ctx, of_values, of_loss):
        if of_values is None or of_loss is None:
            return None, None
        x, weight = ctx.saved_tensors
        g = of_values + x * weight * (2 * of_loss / x.numel())
        return g * weight, (g * x).sum(dim=0)


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width))

    def forward(self, x):
        return Both.apply(x, self.weight)
