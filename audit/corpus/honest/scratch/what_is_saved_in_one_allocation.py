"""Allocates once a call for all that the backward pass needs, and lets go of it there.

baseline: mlp
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Block(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, up, up_bias, down, down_bias):
        room = x.new_empty(2, x.shape[0], up.shape[0])
        inner = torch.addmm(up_bias, x, up.t(), out=room[0])
        active = torch.ops.aten.gelu.out(inner, out=room[1])
        ctx.save_for_backward(x, room, up, down)
        return torch.addmm(down_bias, active, down.t()).add_(x)

    @staticmethod
    def backward(ctx, grad):
        x, (inner, active), up, down = ctx.saved_tensors
        inner = torch.ops.aten.gelu_backward(grad @ down, inner)
        return torch.addmm(grad, inner, up), inner.t() @ x, inner.sum(0), grad.t() @ active, grad.sum(0)


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
