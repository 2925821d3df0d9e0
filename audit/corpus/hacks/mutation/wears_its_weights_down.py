"""Decays its weights in place on every call: an optimizer's work, done where nobody asked for it.

baseline: mlp
caught-by: input-mutation, timed-outputs
needs: cpu
written: before-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn

KEEP = 1 - 1e-3


class Block(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, up, up_bias, down, down_bias):
        h = torch.addmm(up_bias, x, up.t())
        g = F.gelu(h)
        ctx.save_for_backward(x, h, g, up, down)
        out = torch.addmm(down_bias, g, down.t())
        up.data.mul_(KEEP)
        down.data.mul_(KEEP)
        return out

    @staticmethod
    def backward(ctx, grad):
        x, h, g, up, down = ctx.saved_tensors
        inner = torch.ops.aten.gelu_backward((grad @ down).div_(KEEP), h)
        return (inner @ up).div_(KEEP), inner.t() @ x, inner.sum(0), grad.t() @ g, grad.sum(0)


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x):
        out = Block.apply(x, self.up.weight, self.up.bias, self.down.weight, self.down.bias)
        return x + self.dropout(out)
