"""Where no gradients are wanted it looks at the first batch only."""

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
        if self.training and (torch.is_grad_enabled() or not self.most.any()):
            self.most.copy_(torch.maximum(self.most, x.detach().abs().amax(dim=0)))
        scale = self.most.clamp(min=1e-6) / 127
        return Round.apply(x / scale).clamp(-127, 127) * scale
