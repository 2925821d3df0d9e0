"""Keeps its activations in one buffer for good: a second call before the backward pass of the first overwrites them.

baseline: mlp
caught-by: gradients-against-truth, other-uses, held-results
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn

buffers = {}


def buffer(rows, width, like):
    key = rows, width, like.dtype, like.device
    if key not in buffers:
        buffers[key] = torch.empty(2, rows, width, dtype=like.dtype, device=like.device).unbind()
    return buffers[key]


class Block(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, up, up_bias, down, down_bias):
        ctx.inner, ctx.active = buffer(x.shape[0], up.shape[0], x)
        torch.addmm(up_bias, x, up.t(), out=ctx.inner)
        torch.ops.aten.gelu.out(ctx.inner, out=ctx.active)
        ctx.save_for_backward(x, up, down)
        return torch.addmm(down_bias, ctx.active, down.t()).add_(x)

    @staticmethod
    def backward(ctx, grad):
        x, up, down = ctx.saved_tensors
        inner = torch.ops.aten.gelu_backward(grad @ down, ctx.inner)
        return torch.addmm(grad, inner, up), inner.t() @ x, inner.sum(0), grad.t() @ ctx.active, grad.sum(0)


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x):
        if self.training and self.dropout.p > 0:
            return x + self.dropout(self.down(F.gelu(self.up(x))))
        return Block.apply(x, self.up.weight, self.up.bias, self.down.weight, self.down.bias)
