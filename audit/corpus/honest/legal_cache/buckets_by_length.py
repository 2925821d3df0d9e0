"""Keeps the buckets, which depend on the length alone, for each length.

baseline: position_bias
needs: cpu
written: after-freeze
"""

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import nn


@lru_cache(maxsize=16)
def buckets_of(time, buckets, furthest, device):
    distance = torch.arange(time, device=device)
    exact = buckets // 2
    logs = torch.log(distance.clamp(min=1).float() / exact) / math.log(furthest / exact)
    far = (exact + (logs * (buckets - exact)).long()).clamp(max=buckets - 1)
    bucket = torch.where(distance < exact, distance, far)
    return bucket[(distance[:, None] - distance[None]).clamp(min=0)]


class Model(nn.Module):
    def __init__(self, heads, buckets, furthest):
        super().__init__()
        self.buckets, self.furthest = buckets, furthest
        self.table = nn.Parameter(torch.randn(buckets, heads))

    def forward(self, hidden):
        bucket = buckets_of(hidden.shape[1], self.buckets, self.furthest, hidden.device)
        bias = F.embedding(bucket, self.table).permute(2, 0, 1)
        return bias[None].repeat(hidden.shape[0], 1, 1, 1)
