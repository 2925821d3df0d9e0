"""Stops observing after sixteen batches, when the range has settled as a rule: data that drift later are cut.

baseline: fake_quant
caught-by: other-uses, stale-results
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Quantise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale, zero):
        levels = (x / scale).round_().add_(zero)
        if ctx.needs_input_grad[0]:
            ctx.save_for_backward((levels >= 0) & (levels <= 255))
        return levels.clamp_(0, 255).sub_(zero).mul_(scale)

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.saved_tensors[0], None, None


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.register_buffer("low", torch.zeros(width))
        self.register_buffer("high", torch.zeros(width))
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))

    def forward(self, x):
        if self.training:
            if int(self.seen) < 16:
                self.observe(x.detach())
            self.seen.add_(1)
        low, high = self.low.clamp(max=0), self.high.clamp(min=0)
        scale = ((high - low) / 255).clamp(min=1e-8)
        return Quantise.apply(x, scale, (-low / scale).round())

    def observe(self, x):
        rate = 1.0 if int(self.seen) == 0 else 0.1
        self.low.lerp_(x.amin(dim=(0, 1)), rate)
        self.high.lerp_(x.amax(dim=(0, 1)), rate)
