"""The attention of the original, compiled; the projection stays outside.

baseline: cosine_attention
needs: cpu
written: after-freeze
"""

import math

import torch
from torch import nn

LARGEST = math.log(100.0)


@torch.compile
def attend(q, k, v, log_scale):
    q = q / torch.sqrt((q * q).sum(dim=-1, keepdim=True) + 1e-6)
    k = k / torch.sqrt((k * k).sum(dim=-1, keepdim=True) + 1e-6)
    scores = q @ k.transpose(-2, -1) * torch.exp(log_scale.clamp(max=LARGEST))
    return torch.softmax(scores, dim=-1) @ v


class Model(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width)
        self.log_scale = nn.Parameter(math.log(10.0) * torch.ones(heads, 1, 1))

    def forward(self, x):
        parts = self.project(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return attend(*parts.unbind(0), self.log_scale).transpose(1, 2).flatten(2)
