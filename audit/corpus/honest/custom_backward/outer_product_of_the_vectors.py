"""Derives the singular value by hand, as the outer product of its vectors, in a way that can be derived again.

baseline: spectral_norm
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn

ROUNDS = 3


class Divided(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, u, v):
        sigma = torch.dot(u, torch.mv(weight, v))
        ctx.save_for_backward(x, weight, u, v)
        return F.linear(x, weight).div_(sigma).add_(bias)

    @staticmethod
    def backward(ctx, grad):
        x, weight, u, v = ctx.saved_tensors
        sigma = torch.dot(u, torch.mv(weight, v))
        scaled = grad / sigma
        pulled = scaled @ weight
        along = (pulled * x).sum() / sigma
        rows = scaled.reshape(-1, scaled.shape[-1])
        grad_weight = rows.t() @ x.reshape(-1, x.shape[-1]) - along * torch.outer(u, v)
        return pulled, grad_weight, grad.reshape(-1, grad.shape[-1]).sum(dim=0), None, None


class Model(nn.Module):
    def __init__(self, width, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, width) / width**0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("u", F.normalize(torch.randn(outputs), dim=0))
        self.register_buffer("v", F.normalize(torch.randn(width), dim=0))

    def forward(self, x):
        u, v = self.u.clone(), self.v.clone()
        if self.training:
            with torch.no_grad():
                for _ in range(ROUNDS):
                    v = F.normalize(self.weight.t() @ u, dim=0)
                    u = F.normalize(self.weight @ v, dim=0)
                self.u.copy_(u)
                self.v.copy_(v)
        return Divided.apply(x, self.weight, self.bias, u, v)
