"""Channels weighed by what the whole image says of them; trained."""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.down = nn.Linear(channels, squeezed)
        self.up = nn.Linear(squeezed, channels)

    def forward(self, x):
        pooled = x.sum(dim=(2, 3)) / (x.shape[2] * x.shape[3])
        gate = torch.sigmoid(self.up(torch.relu(self.down(pooled))))
        excited = x * gate[:, :, None, None]
        return torch.where(excited > 0, excited, 0.1 * excited)


def get_inputs():
    return [torch.randn(8, 64, 20, 20)]


def get_init_inputs():
    return [64, 16]
