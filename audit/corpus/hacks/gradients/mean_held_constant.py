"""Lets gradients flow through the variance, and holds the mean constant.

baseline: voxel_upsampling
caught-by: gradients-against-truth
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
        centred = up - up.detach().mean(dim=(2, 3, 4), keepdim=True)
        var = centred.square().mean(dim=(2, 3, 4), keepdim=True)
        y = (centred * torch.rsqrt(var + 1e-5)) * self.gain[:, None, None, None] + self.bias[:, None, None, None]
        return F.leaky_relu(y, 0.1)
