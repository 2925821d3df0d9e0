"""A linear layer that keeps a running mean of what it returns."""

import torch
from torch import nn


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(16, 16))
        self.register_buffer("seen", torch.zeros(16))

    def forward(self, x):
        out = (x[:, :, None] * self.weight.t()).sum(dim=1)
        self.seen.lerp_(out.detach().mean(0), 0.1)
        return out


def get_inputs():
    return [torch.randn(32, 16)]
