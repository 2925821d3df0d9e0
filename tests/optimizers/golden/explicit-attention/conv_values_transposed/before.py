# target: SpatialAttention
import torch
import torch.nn as nn


def group_norm(in_channels):
    return nn.GroupNorm(num_groups=8, num_channels=in_channels, eps=1e-6, affine=True)


class SpatialAttention(nn.Module):
    def __init__(self, in_channels):
        super().__init__()
        self.norm = group_norm(in_channels)
        self.q = nn.Conv2d(in_channels, in_channels, kernel_size=1)
        self.k = nn.Conv2d(in_channels, in_channels, kernel_size=1)
        self.v = nn.Conv2d(in_channels, in_channels, kernel_size=1)
        self.proj_out = nn.Conv2d(in_channels, in_channels, kernel_size=1)

    def forward(self, x):
        y = x
        y = self.norm(y)
        q = self.q(y)
        k = self.k(y)
        v = self.v(y)
        b, c, h, w = q.shape
        q = q.reshape(b, c, h * w)
        q = q.permute(0, 2, 1)
        k = k.reshape(b, c, h * w)
        weights = torch.bmm(q, k)
        weights = weights * (int(c) ** (-0.5))
        weights = torch.nn.functional.softmax(weights, dim=2)
        v = v.reshape(b, c, h * w)
        weights = weights.permute(0, 2, 1)
        y = torch.bmm(v, weights)
        y = y.reshape(b, c, h, w)
        y = self.proj_out(y)
        return x + y


def get_init_inputs():
    return [32]


def get_inputs():
    return [torch.randn(2, 32, 5, 4)]
