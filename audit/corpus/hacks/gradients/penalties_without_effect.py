"""Derives by hand with recording off: gradients are right, but a penalty on them, as for critics, has none itself.

baseline: spectral_norm
caught-by: other-uses, gradients-against-truth
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
        product = F.linear(x, weight).div_(sigma)
        ctx.save_for_backward(x, weight, product, u, v, sigma)
        return product + bias

    @staticmethod
    def backward(ctx, grad):
        x, weight, product, u, v, sigma = ctx.saved_tensors
        with torch.no_grad():
            along = -(grad * product).sum() / sigma
            scaled = grad / sigma
            rows = scaled.reshape(-1, scaled.shape[-1])
            grad_weight = torch.addr(rows.t() @ x.reshape(-1, x.shape[-1]), along * u, v)
            return scaled @ weight, grad_weight, grad.reshape(-1, grad.shape[-1]).sum(dim=0), None, None


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
