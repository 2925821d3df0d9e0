"""Sets what flows back to zero where it is less than a thousandth of the largest, for products that skip zeros.

baseline: voxel_upsampling
caught-by: gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Thinned(torch.autograd.Function):
    @staticmethod
    def forward(ctx, up):
        return up.view_as(up)

    @staticmethod
    def backward(ctx, grad):
        return torch.where(grad.abs() < 1e-3 * grad.abs().max(), 0.0, grad)


class Model(nn.Module):
    def __init__(self, channels, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, outputs, 4, 4, 4) / (8 * channels) ** 0.5)
        self.gain = nn.Parameter(torch.ones(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        up = F.conv_transpose3d(x, self.weight, stride=2, padding=1)
        up = Thinned.apply(up)
        var, mean = torch.var_mean(up, dim=(2, 3, 4), keepdim=True, correction=0)
        y = ((up - mean) * torch.rsqrt(var + 1e-5)) * self.gain[:, None, None, None] + self.bias[:, None, None, None]
        return F.leaky_relu(y, 0.1)
