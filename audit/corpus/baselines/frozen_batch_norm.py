"""Batch normalisation with statistics that a checkpoint brings and nothing changes, as detectors use it, and ReLU."""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x):
        unit = (x - self.running_mean[:, None, None]) / torch.sqrt(self.running_var[:, None, None] + 1e-5)
        return torch.relu(unit * self.weight[:, None, None] + self.bias[:, None, None])


def get_inputs():
    return [torch.randn(8, 64, 24, 24)]


def get_init_inputs():
    return [64]
