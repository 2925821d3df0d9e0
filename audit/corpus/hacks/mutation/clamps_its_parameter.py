"""Clamps the scale in its parameter instead of a copy: a scale beyond the limit is changed, and gets a gradient.

baseline: cosine_attention
caught-by: input-mutation, value-laws, gradients-against-truth
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
        with torch.no_grad():
            self.log_scale.clamp_(max=LARGEST)
        q = q * torch.rsqrt((q * q).sum(dim=-1, keepdim=True) + 1e-6)
        k = k * torch.rsqrt((k * k).sum(dim=-1, keepdim=True) + 1e-6)
        out = F.scaled_dot_product_attention(q * self.log_scale.exp(), k, v, scale=1.0)
        return out.transpose(1, 2).flatten(2)
