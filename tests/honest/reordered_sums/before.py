# target: variance
from __future__ import annotations

import torch


def variance(x, eps):
    centred = x - x.mean(-1, keepdim=True)
    return centred.square().mean(-1) / (eps + x.abs().sum())


def get_inputs():
    return [torch.randn(24, 1000), 1e-5]
