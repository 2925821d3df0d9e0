"""A trained bias for each head and bucket of distances, near ones apart and far ones together, as in T5."""

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
        distance = (places[:, None] - places[None]).clamp(min=0)
        exact = self.buckets // 2
        logs = torch.log(distance.clamp(min=1).float() / exact) / math.log(self.furthest / exact)
        far = (exact + (logs * (self.buckets - exact)).long()).clamp(max=self.buckets - 1)
        bucket = torch.where(distance < exact, distance, far)
        bias = self.table[bucket].permute(2, 0, 1)
        return bias[None].repeat(hidden.shape[0], 1, 1, 1)


def get_inputs():
    return [torch.randn(8, 160, 32)]


def get_init_inputs():
    return [8, 32, 128]
