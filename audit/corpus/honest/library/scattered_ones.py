"""Adds a one at each value's bin.

baseline: histogram
needs: cpu
written: after-freeze
"""

import torch

BINS = 64


def histogram(values):
    counts = torch.zeros(values.shape[0], BINS, dtype=torch.int64, device=values.device)
    counts.scatter_add_(1, values, torch.ones_like(values, dtype=torch.int64))
    return counts, counts.cumsum(dim=-1)
