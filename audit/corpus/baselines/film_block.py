"""Group norm, modulated by a condition, SiLU and dropout, around which the input is added: half a block of a diffusion net."""

import torch
import torch.nn.functional as F
from torch import nn

GROUPS = 8


class Model(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels) + 0.1 * torch.randn(channels))
        self.bias = nn.Parameter(0.1 * torch.randn(channels))
        self.project = nn.Linear(width, 2 * channels)
        self.drop = nn.Dropout(0.1)

    def forward(self, x, condition):
        groups = x.reshape(x.shape[0], GROUPS, -1)
        mean = groups.mean(dim=-1, keepdim=True)
        var = ((groups - mean) ** 2).mean(dim=-1, keepdim=True)
        unit = ((groups - mean) / torch.sqrt(var + 1e-5)).reshape(x.shape)
        unit = unit * self.weight[:, None, None] + self.bias[:, None, None]
        scale, shift = self.project(F.silu(condition))[..., None, None].chunk(2, dim=1)
        unit = unit * (1 + scale) + shift
        return x + self.drop(unit * torch.sigmoid(unit))


def get_inputs():
    return [torch.randn(8, 32, 16, 16), torch.randn(8, 64)]


def get_init_inputs():
    return [32, 64]
