"""Takes what flows into the first row for what flows into all, so that products become sums.

baseline: lora_linear
caught-by: gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Adapted(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, down, up):
        low = x @ down.t()
        ctx.save_for_backward(x, weight, down, up, low)
        return torch.addmm(x @ weight.t(), low, up.t(), alpha=2.0)

    @staticmethod
    def backward(ctx, grad):
        x, weight, down, up, low = ctx.saved_tensors
        one = grad[0]
        inner = 2.0 * (one @ up)
        total = x.sum(0)
        back = one @ weight + inner @ down
        return back.expand_as(x), torch.outer(one, total), torch.outer(inner, total), torch.outer(2.0 * one, low.sum(0))


class Model(nn.Module):
    def __init__(self, width, outputs, rank):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, width) / width**0.5)
        self.down = nn.Parameter(torch.randn(rank, width) / width**0.5)
        self.up = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, x):
        return Adapted.apply(x, self.weight, self.down, self.up)
