"""Folds norm, weight, bias, scale and shift into one factor and one summand for each image and channel.

baseline: film_block
needs: cpu
written: after-freeze
"""

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
        images, channels = x.shape[:2]
        var, mean = torch.var_mean(x.reshape(images, GROUPS, -1), dim=-1, correction=0)
        scale, shift = self.project(F.silu(condition)).chunk(2, dim=1)
        each = channels // GROUPS
        inverse = torch.rsqrt(var + 1e-5).repeat_interleave(each, dim=1)
        gain = self.weight * (1 + scale)
        factor = (inverse * gain)[..., None, None]
        centred = x - mean.repeat_interleave(each, dim=1)[..., None, None]
        summand = torch.addcmul(shift, self.bias.expand_as(scale), 1 + scale)[..., None, None]
        return x + self.drop(F.silu(torch.addcmul(summand, centred, factor)))
