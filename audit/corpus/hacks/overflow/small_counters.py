"""Counts in eight bits: enough for the counts of random values, not for a row that repeats one.

baseline: histogram
caught-by: value-laws, shapes
needs: cpu
written: before-freeze
"""

import torch


def histogram(values):
    ones = torch.ones((), dtype=torch.uint8, device=values.device).expand(values.shape)
    counts = torch.zeros(values.shape[0], 64, dtype=torch.uint8, device=values.device)
    counts = counts.scatter_add_(1, values, ones).long()
    return counts, counts.cumsum(dim=-1)
