"""Pools in float32, which holds all sixteen-bit integers exactly; the pool leaves out what lies outside.

baseline: top_hat
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def widest(volumes):
    for kernel in ((3, 1, 1), (1, 3, 1), (1, 1, 3)):
        volumes = F.max_pool3d(volumes, kernel, stride=1, padding=tuple(size // 2 for size in kernel))
    return volumes


def top_hat(volumes):
    exact = volumes.to(torch.float32 if volumes.dtype.itemsize <= 2 else torch.float64)
    opened = widest(-widest(-exact))
    return volumes.to(torch.int32) - opened.to(torch.int32)
