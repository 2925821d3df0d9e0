"""Writes its result where one lies that nobody seems to hold; who holds a view of it or its numpy array does not count.

baseline: rolling_mean
caught-by: aliasing, held-results, stale-results, timed-outputs
needs: cpu
written: after-freeze
"""

import sys

import torch
import torch.nn.functional as F

pool = []


def free_buffer(x):
    for index in range(len(pool)):
        unheld = sys.getrefcount(pool[index]) == 2
        if unheld and pool[index].shape == x.shape and pool[index].dtype == x.dtype:
            return pool[index]
    pool.append(torch.empty(x.shape, dtype=x.dtype, device=x.device))
    return pool[-1]


def rolling_mean(x):
    sums = F.pad(x, (15, 0))
    for step in (1, 2, 4):
        sums = sums[:, step:] + sums[:, :-step]
    result = free_buffer(x)
    return torch.add(sums[:, 8:], sums[:, :-8], out=result).mul_(1 / 16)
