# target: GroupNorm
import torch
import torch.nn.functional as F
from torch import nn


class GroupNorm(nn.Module):
    def __init__(self, groups, channels):
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x):
        N, C, H, W = x.size()
        x = x.view(N, self.groups, C // self.groups, H, W)
        mean = x.mean([2, 3, 4], keepdim=True)
        var = ((x - mean) ** 2).mean([2, 3, 4], keepdim=True)
        x = (x - mean) / (var + 1e-5).sqrt()
        x = x.view(N, C, H, W)
        return F.relu(x * self.weight + self.bias)


def get_init_inputs():
    return [2, 6]


def get_inputs():
    return [torch.randn(2, 6, 4, 5)]
