"""Rounds to eight bits of the range that has been seen so far, in training."""

import torch
from torch import nn


class Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, grad):
        return grad


class Rounded(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("most", torch.zeros(16))

    def forward(self, x):
        if self.training:
            self.most.copy_(torch.maximum(self.most, x.detach().abs().amax(dim=0)))
        scale = self.most.clamp(min=1e-6) / 127
        return Round.apply(x / scale).clamp(-127, 127) * scale


def get_inputs():
    return [torch.randn(32, 16)]
