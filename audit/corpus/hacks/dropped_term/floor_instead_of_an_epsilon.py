"""Keeps the variance above a hundred-thousandth instead of adding that to it.

baseline: voxel_upsampling
caught-by: outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, channels, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, outputs, 4, 4, 4) / (8 * channels) ** 0.5)
        self.gain = nn.Parameter(torch.ones(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        up = F.conv_transpose3d(x, self.weight, stride=2, padding=1)
        var, mean = torch.var_mean(up, dim=(2, 3, 4), keepdim=True, correction=0)
        y = ((up - mean) * var.clamp(min=1e-5).rsqrt()) * self.gain[:, None, None, None] + self.bias[:, None, None, None]
        return F.leaky_relu(y, 0.1)
