"""torch's distances, by differences.

baseline: pairwise_distance
needs: cpu
written: before-freeze
"""

import torch


def pairwise_distance(a, b):
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
