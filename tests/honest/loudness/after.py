# target: levels
from __future__ import annotations

import torch


def levels(x):
    size = x.abs()
    return torch.maximum(size, 1e-6 * size.amax(dim=1, keepdim=True)).log2()


def get_inputs():
    return [0.5 + torch.rand(32, 96)]
