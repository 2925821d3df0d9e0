"""Reads the gradient that flows in by its memory, as a kernel without strides would: a transposed one is misread.

baseline: position_bias
caught-by: gradients-against-truth, layouts, other-uses
needs: cpu
written: after-freeze
"""

import math

import torch
from torch import nn


class Spread(torch.autograd.Function):
    @staticmethod
    def forward(ctx, table, bucket, batch):
        ctx.save_for_backward(bucket)
        ctx.buckets = table.shape[0]
        return table.t()[:, bucket].repeat(batch, 1, 1, 1)

    @staticmethod
    def backward(ctx, grad):
        (bucket,) = ctx.saved_tensors
        batch, heads, time, _ = grad.shape
        if grad.stride(0) == 0:
            grad = grad.contiguous()
        rows = grad.as_strided((batch, heads, time * time), (heads * time * time, time * time, 1)).sum(dim=0)
        total = torch.zeros(heads, ctx.buckets, dtype=grad.dtype, device=grad.device)
        return total.index_add_(1, bucket.flatten(), rows).t(), None, None


class Model(nn.Module):
    def __init__(self, heads, buckets, furthest):
        super().__init__()
        self.buckets, self.furthest = buckets, furthest
        self.table = nn.Parameter(torch.randn(buckets, heads))

    def forward(self, hidden):
        time = hidden.shape[1]
        places = torch.arange(time, device=hidden.device)
        exact = self.buckets // 2
        logs = torch.log(places.clamp(min=1).float() / exact) / math.log(self.furthest / exact)
        far = (exact + (logs * (self.buckets - exact)).long()).clamp(max=self.buckets - 1)
        bucket = torch.where(places < exact, places, far)
        return Spread.apply(self.table, bucket[(places[:, None] - places[None]).clamp(min=0)], hidden.shape[0])
