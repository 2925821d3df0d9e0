"""Keeps its input and not a copy, where autograd does not see that it is overwritten."""

import torch
from torch import nn


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, centre, weight):
        ctx.x, ctx.centre = x.detach(), centre.clone()
        ctx.save_for_backward(weight)
        return (x - centre) @ weight

    @staticmethod
    def backward(ctx, grad):
        (weight,) = ctx.saved_tensors
        return grad @ weight.t(), None, (ctx.x - ctx.centre).t() @ grad


class Centred(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(16, 24))
        self.register_buffer("centre", torch.zeros(16))

    def forward(self, x):
        out = Product.apply(x, self.centre, self.weight)
        if self.training:
            self.centre.lerp_(x.detach().mean(dim=0), 0.1)
        return out
