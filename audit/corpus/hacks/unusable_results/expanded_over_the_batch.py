"""Returns one bias under eight names: a view of stride zero over the batch, into which nobody can write.

baseline: position_bias
caught-by: aliasing, contract, layouts
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
        places = torch.arange(time, device=hidden.device)
        exact = self.buckets // 2
        logs = torch.log(places.clamp(min=1).float() / exact) / math.log(self.furthest / exact)
        far = (exact + (logs * (self.buckets - exact)).long()).clamp(max=self.buckets - 1)
        bucket = torch.where(places < exact, places, far)
        bias = self.table[bucket].t()[:, (places[:, None] - places[None]).clamp(min=0)]
        return bias.expand(hidden.shape[0], -1, -1, -1)
