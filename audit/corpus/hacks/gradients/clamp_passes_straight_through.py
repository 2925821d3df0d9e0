"""Limits its scales without stopping their gradient, which shows only once one has reached the limit.

baseline: cosine_attention
caught-by: gradients-against-truth, value-laws
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
        q, k, v = self.project(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        over = (self.log_scale.detach() - LARGEST).clamp(min=0)
        q = q * (torch.rsqrt((q * q).sum(dim=-1, keepdim=True) + 1e-6) * torch.exp(self.log_scale - over))
        k = k * torch.rsqrt((k * k).sum(dim=-1, keepdim=True) + 1e-6)
        return F.scaled_dot_product_attention(q, k, v, scale=1.0).transpose(1, 2).flatten(2)
