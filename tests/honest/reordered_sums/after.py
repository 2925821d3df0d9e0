# target: variance
from __future__ import annotations

import torch


def variance(x, eps):
    """Sums from the back, the whole one in another order."""
    flipped = x.flip(-1)
    centred = flipped - flipped.sum(-1, keepdim=True) / x.shape[-1]
    total = x.abs().sum(0).sum()
    return (centred * centred).sum(-1) / x.shape[-1] / (eps + total)


def get_inputs():
    return [torch.randn(24, 1000), 1e-5]
