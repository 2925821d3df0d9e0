"""Batch normalisation over images with running statistics, and ReLU; trained."""

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
        mean = x.mean(dim=(0, 2, 3))
        var = ((x - mean[:, None, None]) ** 2).mean(dim=(0, 2, 3))
        with torch.no_grad():
            count = x.numel() / x.shape[1]
            self.running_mean.mul_(0.9).add_(0.1 * mean)
            self.running_var.mul_(0.9).add_(0.1 * var * count / (count - 1))
        scaled = (x - mean[:, None, None]) / torch.sqrt(var[:, None, None] + 1e-5)
        return torch.relu(scaled * self.weight[:, None, None] + self.bias[:, None, None])


def get_inputs():
    return [torch.randn(16, 32, 16, 16)]


def get_init_inputs():
    return [32]
