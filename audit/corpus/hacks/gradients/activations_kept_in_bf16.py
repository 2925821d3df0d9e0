"""Keeps what the backward pass needs in bf16; the forward pass is exact.

baseline: mlp
caught-by: gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Block(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, up, up_bias, down, down_bias):
        h = torch.addmm(up_bias, x, up.t())
        active = F.gelu(h)
        ctx.save_for_backward(x.bfloat16(), h.bfloat16(), up, down)
        return torch.addmm(down_bias, active, down.t())

    @staticmethod
    def backward(ctx, grad):
        x, h, up, down = ctx.saved_tensors
        x, h = x.to(grad.dtype), h.to(grad.dtype)
        inner = torch.ops.aten.gelu_backward(grad @ down, h)
        return inner @ up, inner.t() @ x, inner.sum(0), grad.t() @ F.gelu(h), grad.sum(0)


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x):
        rows = x.reshape(-1, x.shape[-1])
        out = Block.apply(rows, self.up.weight, self.up.bias, self.down.weight, self.down.bias)
        return x + self.dropout(out.view(x.shape))
