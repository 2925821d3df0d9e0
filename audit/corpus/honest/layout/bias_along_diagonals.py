"""Looks up each distance once and reads the square of them as a view in which every row starts one value earlier.

baseline: position_bias
needs: cpu
written: after-freeze
"""

import math

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, heads, buckets, furthest):
        super().__init__()
        self.buckets, self.furthest = buckets, furthest
        self.table = nn.Parameter(torch.randn(buckets, heads))

    def forward(self, hidden):
        time = hidden.shape[1]
        distance = torch.arange(time - 1, -time, -1, device=hidden.device).clamp_(min=0)
        exact = self.buckets // 2
        logs = torch.log(distance.clamp(min=1).float() / exact) / math.log(self.furthest / exact)
        far = (exact + (logs * (self.buckets - exact)).long()).clamp_(max=self.buckets - 1)
        line = self.table.t().contiguous()[:, torch.where(distance < exact, distance, far)]
        square = line.unfold(1, time, 1).flip(1)
        return square.expand(hidden.shape[0], -1, -1, -1).contiguous()
