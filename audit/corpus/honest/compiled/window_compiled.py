"""Lets the compiler see all sixteen terms at once.

baseline: rolling_mean
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


@torch.compile(dynamic=True)
def rolling_mean(x):
    padded = F.pad(x, (15, 0))
    total = padded[:, : x.shape[1]]
    for back in range(1, 16):
        total = total + padded[:, back : back + x.shape[1]]
    return total * 0.0625
