"""Statistics of each image first, then pooled over the batch with the spread of the means.

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
        inner, means = torch.var_mean(x, dim=(2, 3), correction=0)
        between, mean = torch.var_mean(means, dim=0, correction=0)
        var = inner.mean(dim=0) + between
        with torch.no_grad():
            count = x.numel() / x.shape[1]
            self.running_mean.lerp_(mean, 0.1)
            self.running_var.lerp_(var * (count / (count - 1)), 0.1)
        scale = self.weight * torch.rsqrt(var + 1e-5)
        shift = self.bias - mean * scale
        return torch.relu(torch.addcmul(shift[:, None, None], x, scale[:, None, None]))
