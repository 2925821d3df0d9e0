"""The mean of the last 16 values at each time; before the first there are zeros."""

import torch
import torch.nn.functional as F

WINDOW = 16


def rolling_mean(x):
    padded = F.pad(x, (WINDOW - 1, 0))
    total = torch.zeros_like(x)
    for back in range(WINDOW):
        total = total + padded[:, back : back + x.shape[1]]
    return total / WINDOW


def get_inputs():
    return [torch.randn(96, 512)]
