"""Scale and shift of each channel of each sample first, then one pass over the volume, its leak in place.

baseline: voxel_upsampling
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
        scale = self.gain[:, None, None, None] * torch.rsqrt(var + 1e-5)
        y = torch.addcmul(self.bias[:, None, None, None], up - mean, scale)
        return F.leaky_relu_(y, 0.1)
