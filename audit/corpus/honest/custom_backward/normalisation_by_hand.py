"""Normalises with a backward pass by hand that keeps the normalised volume and one number for each channel.

baseline: voxel_upsampling
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Normalised(torch.autograd.Function):
    @staticmethod
    def forward(ctx, up, gain, bias):
        var, mean = torch.var_mean(up, dim=(2, 3, 4), keepdim=True, correction=0)
        inverse = torch.rsqrt(var + 1e-5)
        normal = (up - mean).mul_(inverse)
        ctx.save_for_backward(normal, inverse, gain)
        return torch.addcmul(bias[:, None, None, None], normal, gain[:, None, None, None])

    @staticmethod
    def backward(ctx, grad):
        normal, inverse, gain = ctx.saved_tensors
        to_gain = (grad * normal).sum(dim=(0, 2, 3, 4))
        inner = grad * gain[:, None, None, None]
        along = (inner * normal).mean(dim=(2, 3, 4), keepdim=True)
        to_up = inverse * (inner - inner.mean(dim=(2, 3, 4), keepdim=True) - normal * along)
        return to_up, to_gain, grad.sum(dim=(0, 2, 3, 4))


class Model(nn.Module):
    def __init__(self, channels, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, outputs, 4, 4, 4) / (8 * channels) ** 0.5)
        self.gain = nn.Parameter(torch.ones(outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        up = F.conv_transpose3d(x, self.weight, stride=2, padding=1)
        return F.leaky_relu(Normalised.apply(up, self.gain, self.bias), 0.1)
