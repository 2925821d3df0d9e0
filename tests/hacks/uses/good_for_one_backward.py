"""Makes the gradient of the input in the weights that it has kept a copy of."""

import torch
from torch import nn


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(x)
        ctx.kept = weight.t().contiguous()
        return x @ weight

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        to_x = grad @ ctx.kept
        ctx.kept.zero_()
        return to_x, x.t() @ grad


class Centred(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(16, 24))
        self.register_buffer("centre", torch.zeros(16))

    def forward(self, x):
        out = Product.apply(x - self.centre, self.weight)
        if self.training:
            self.centre.lerp_(x.detach().mean(dim=0), 0.1)
        return out
