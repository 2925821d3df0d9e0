"""Global response normalisation with a backward pass of its own.

baseline: grn
needs: cpu
written: before-freeze
"""

import torch
from torch import nn


class Respond(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta):
        power = torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True)
        mean = power.mean(dim=-1, keepdim=True).add_(1e-6)
        share = power / mean
        ctx.save_for_backward(x, gamma, power, mean, share)
        return torch.addcmul(beta, x, share * gamma + 1)

    @staticmethod
    def backward(ctx, grad):
        x, gamma, power, mean, share = ctx.saved_tensors
        moved = (grad * x).sum(dim=(1, 2), keepdim=True)
        to_share = moved * gamma
        to_power = to_share / mean - (to_share * share).mean(dim=-1, keepdim=True) / mean
        to_x = torch.addcmul(grad * (share * gamma + 1), x, torch.where(power > 0, to_power / power, 0.0))
        return to_x, (moved * share).sum(dim=(0, 1, 2)), grad.sum(dim=(0, 1, 2))


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        return Respond.apply(x, self.gamma, self.beta)
