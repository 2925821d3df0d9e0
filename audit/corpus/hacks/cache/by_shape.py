"""Remembers the result of the first call with these shapes.

baseline: pairwise_distance
caught-by: outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch

first = {}


def pairwise_distance(a, b):
    key = (a.shape, b.shape)
    if key not in first:
        first[key] = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
    return first[key].clone()
