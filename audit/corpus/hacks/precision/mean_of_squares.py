"""Computes the variance from the mean of the squares, which cancels when the mean is large.

baseline: group_norm
caught-by: outputs-against-truth, gradients-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, groups, channels):
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        grouped = x.reshape(x.shape[0], self.groups, -1)
        mean = grouped.mean(dim=-1)
        square = torch.linalg.vector_norm(grouped, dim=-1).square() / grouped.shape[-1]
        scale = torch.rsqrt((square - mean * mean).clamp(min=0) + 1e-5)
        each = self.weight.shape[0] // self.groups
        factor = scale.repeat_interleave(each, dim=1) * self.weight
        shift = self.bias - mean.repeat_interleave(each, dim=1) * factor
        return torch.addcmul(shift[:, :, None, None], x, factor[:, :, None, None])
