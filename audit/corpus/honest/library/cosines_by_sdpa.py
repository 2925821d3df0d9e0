"""Scales the queries by what the cosines are scaled with, and leaves the rest to scaled dot-product attention.

baseline: cosine_attention
needs: cpu
written: after-freeze
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

LARGEST = math.log(100.0)


class Model(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width)
        self.log_scale = nn.Parameter(math.log(10.0) * torch.ones(heads, 1, 1))

    def forward(self, x):
        parts = self.project(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        q, k, v = parts.unbind(0)
        scale = torch.exp(self.log_scale.clamp(max=LARGEST))
        q = q * (scale * torch.rsqrt(q.square().sum(dim=-1, keepdim=True) + 1e-6))
        k = k * torch.rsqrt(k.square().sum(dim=-1, keepdim=True) + 1e-6)
        return F.scaled_dot_product_attention(q, k, v, scale=1.0).transpose(1, 2).flatten(2)
