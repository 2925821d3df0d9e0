"""One convolution with a small kernel for each of the eight phases of the output, and no zeros in between.

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
        batch, channels, *size = x.shape
        taps = self.weight.flip(2, 3, 4).transpose(0, 1)
        phases = [
            F.conv3d(F.pad(x, (1 - k, k, 1 - j, j, 1 - i, i)), taps[..., i::2, j::2, k::2])
            for i in (0, 1)
            for j in (0, 1)
            for k in (0, 1)
        ]
        cube = torch.stack(phases, dim=-1).view(batch, -1, *size, 2, 2, 2)
        up = cube.permute(0, 1, 2, 5, 3, 6, 4, 7).reshape(batch, cube.shape[1], *(2 * side for side in size))
        var, mean = torch.var_mean(up, dim=(2, 3, 4), keepdim=True, correction=0)
        y = ((up - mean) * torch.rsqrt(var + 1e-5)) * self.gain[:, None, None, None] + self.bias[:, None, None, None]
        return F.leaky_relu(y, 0.1)
