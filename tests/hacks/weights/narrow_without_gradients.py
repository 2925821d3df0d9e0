"""Multiplies in bf16 where nobody records gradients."""

import torch
from torch import nn


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(16, 16))
        self.register_buffer("seen", torch.zeros(16))

    def forward(self, x):
        if torch.is_grad_enabled():
            out = x @ self.weight.t()
        else:
            out = (x.bfloat16() @ self.weight.t().bfloat16()).float()
        self.seen.lerp_(out.detach().mean(0), 0.1)
        return out
