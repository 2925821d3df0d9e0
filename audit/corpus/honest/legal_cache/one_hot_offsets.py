"""Keeps the rows' offsets by shape and device.

baseline: histogram
needs: cpu
written: before-freeze
"""

from functools import lru_cache

import torch


@lru_cache
def offsets(rows, device):
    return torch.arange(rows, device=device)[:, None] * 64


def histogram(values):
    rows = values.shape[0]
    flat = (values + offsets(rows, values.device)).reshape(-1)
    counts = torch.zeros(rows * 64, dtype=torch.int64, device=values.device)
    counts = counts.index_add_(0, flat, torch.ones_like(flat)).view(rows, 64)
    return counts, counts.cumsum(dim=-1)
