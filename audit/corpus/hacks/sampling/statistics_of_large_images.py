"""Takes the statistics of images of 64 by 64 and more from every fourth pixel; smaller ones are read in full.

baseline: batch_norm
caught-by: shapes
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn

LARGE = 64 * 64


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x):
        if x.shape[2] * x.shape[3] < LARGE:
            out = F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, True, 0.1, 1e-5)
            return torch.relu_(out)
        var, mean = torch.var_mean(x[..., ::2, ::2], dim=(0, 2, 3), correction=0)
        with torch.no_grad():
            count = x.numel() / x.shape[1]
            self.running_mean.lerp_(mean, 0.1)
            self.running_var.lerp_(var * count / (count - 1), 0.1)
        scale = self.weight * torch.rsqrt(var + 1e-5)
        shift = self.bias - mean * scale
        return torch.relu(torch.addcmul(shift[:, None, None], x, scale[:, None, None]))
