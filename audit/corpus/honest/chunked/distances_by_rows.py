"""Sixteen rows of differences at a time.

baseline: pairwise_distance
needs: cpu
written: before-freeze
"""

import torch


def pairwise_distance(a, b):
    parts = [(rows[:, None] - b).square_().sum(dim=-1).sqrt_() for rows in a.split(16)]
    return torch.cat(parts) if parts else a.new_empty(0, b.shape[0])
