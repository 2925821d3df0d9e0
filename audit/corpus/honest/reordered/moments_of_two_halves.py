"""Takes the moments of each half of a group and merges them, as Chan, Golub and LeVeque do.

baseline: group_norm
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


def moments(grouped):
    count = grouped.shape[-1]
    half = count // 2
    if half == 0:
        return torch.var_mean(grouped, dim=-1, correction=0, keepdim=True)
    var_a, mean_a = torch.var_mean(grouped[..., :half], dim=-1, correction=0, keepdim=True)
    var_b, mean_b = torch.var_mean(grouped[..., half:], dim=-1, correction=0, keepdim=True)
    share = (count - half) / count
    apart = mean_b - mean_a
    variance = (1 - share) * var_a + share * var_b + share * (1 - share) * apart * apart
    return variance, mean_a + share * apart


class Model(nn.Module):
    def __init__(self, groups, channels):
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        grouped = x.reshape(x.shape[0], self.groups, -1)
        variance, mean = moments(grouped)
        unit = ((grouped - mean) * torch.rsqrt(variance + 1e-5)).reshape(x.shape)
        return torch.addcmul(self.bias[:, None, None], unit, self.weight[:, None, None])
