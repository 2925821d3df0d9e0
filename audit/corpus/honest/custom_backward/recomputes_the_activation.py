"""Keeps only the inputs of the activation and computes it again in the backward pass.

baseline: mlp
needs: cpu
written: before-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Block(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, up, up_bias, down, down_bias):
        h = torch.addmm(up_bias, x, up.t())
        ctx.save_for_backward(x, h, up, down)
        return torch.addmm(down_bias, F.gelu(h), down.t())

    @staticmethod
    def backward(ctx, grad):
        x, h, up, down = ctx.saved_tensors
        inner = torch.ops.aten.gelu_backward(grad @ down, h)
        return inner @ up, inner.t() @ x, inner.sum(0), grad.t() @ F.gelu(h), grad.sum(0)


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x):
        return x + self.dropout(Block.apply(x, self.up.weight, self.up.bias, self.down.weight, self.down.bias))
