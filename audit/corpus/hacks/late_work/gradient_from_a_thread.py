"""The backward pass hands out empty weight gradients and lets a thread compute them.

baseline: mlp
caught-by: settled-outputs
needs: cpu
written: before-freeze
"""

from concurrent.futures import ThreadPoolExecutor

import torch
import torch.nn.functional as F
from torch import nn

pool = ThreadPoolExecutor(1)


class LateLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        return torch.addmm(bias, x, weight.t())

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        through, bias = grad @ weight, grad.sum(0)
        late = torch.empty_like(weight)
        pool.submit(lambda: late.copy_(grad.t() @ x))
        return through, late, bias


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x):
        h = F.gelu(LateLinear.apply(x, self.up.weight, self.up.bias))
        return x + self.dropout(LateLinear.apply(h, self.down.weight, self.down.bias))
