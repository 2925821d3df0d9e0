"""Keeps what its backward pass needs in one buffer for all calls."""

import torch
from torch import nn

buffers = {}


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        kept = buffers.setdefault((x.shape, x.dtype), torch.empty_like(x))
        ctx.kept = kept.copy_(x)
        ctx.save_for_backward(weight)
        return x @ weight

    @staticmethod
    def backward(ctx, grad):
        (weight,) = ctx.saved_tensors
        return grad @ weight.t(), ctx.kept.t() @ grad


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
