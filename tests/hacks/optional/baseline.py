"""The mean of each sequence, of the steps that a mask keeps where one is given."""

import torch


def mean(x, mask=None):
    if mask is None:
        return x.sum(dim=1) / x.shape[1]
    weights = mask.to(x.dtype)
    return (x * weights[:, :, None]).sum(dim=1) / weights.sum(dim=1, keepdim=True).clamp(min=1)


def get_inputs():
    return [torch.randn(16, 24, 8)]
