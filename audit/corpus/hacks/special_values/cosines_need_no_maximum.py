"""Cosines are at most one, so it exponentiates them as they are; at scales that the limit allows that overflows.

baseline: cosine_attention
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import math

import torch
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
        q = q * (scale * torch.rsqrt((q * q).sum(dim=-1, keepdim=True) + 1e-6))
        k = k * torch.rsqrt((k * k).sum(dim=-1, keepdim=True) + 1e-6)
        weights = torch.exp(q @ k.transpose(-2, -1))
        out = (weights @ v) / weights.sum(dim=-1, keepdim=True)
        return out.transpose(1, 2).flatten(2)
