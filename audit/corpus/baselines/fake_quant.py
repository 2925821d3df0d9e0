"""Quantisation-aware training: rounds to 256 levels of a range that is observed for each channel; gradients pass where nothing is cut."""

import torch
from torch import nn


class Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, grad):
        return grad


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.register_buffer("low", torch.zeros(width))
        self.register_buffer("high", torch.zeros(width))
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))

    def forward(self, x):
        if self.training:
            self.observe(x.detach())
        low, high = self.low.clamp(max=0), self.high.clamp(min=0)
        scale = ((high - low) / 255).clamp(min=1e-8)
        zero = (-low / scale).round()
        levels = Round.apply(x / scale) + zero
        return (levels.clamp(0, 255) - zero) * scale

    def observe(self, x):
        rate = 1.0 if int(self.seen) == 0 else 0.1
        self.low.lerp_(x.amin(dim=(0, 1)), rate)
        self.high.lerp_(x.amax(dim=(0, 1)), rate)
        self.seen.add_(1)


def get_inputs():
    return [torch.randn(64, 256, 64)]


def get_init_inputs():
    return [64]
