"""The mean of the rows that a mask of zeros and ones keeps; nothing where it keeps none."""

import torch


def weighted_pool(x, mask):
    total = torch.zeros_like(x[:, 0])
    for t in range(x.shape[1]):
        total = total + x[:, t] * mask[:, t, None]
    return total / mask.sum(dim=1, keepdim=True).clamp(min=1)


def get_inputs():
    return [torch.randn(32, 96, 64), (torch.rand(32, 96) < 0.7).float()]
