"""Normalisation, gain and bias as one scale and one shift for each channel.

baseline: batch_norm
needs: cpu
written: before-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x):
        var, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
        with torch.no_grad():
            count = x.numel() / x.shape[1]
            self.running_mean.mul_(0.9).add_(mean, alpha=0.1)
            self.running_var.mul_(0.9).add_(var, alpha=0.1 * count / (count - 1))
        scale = self.weight * torch.rsqrt(var + 1e-5)
        return torch.relu(x * scale[:, None, None] + (self.bias - mean * scale)[:, None, None])
