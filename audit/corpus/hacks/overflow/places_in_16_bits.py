"""Keeps the places of its results in 16 bits: from the 65,537th on they wrap around.

baseline: pairwise_distance
caught-by: shapes
needs: cpu
written: before-freeze
"""

import torch

places = {}


def pairwise_distance(a, b):
    found = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
    key = (*found.shape, found.device)
    if key not in places:
        places[key] = (torch.arange(found.numel(), device=a.device) % (1 << 16)).view(found.shape)
    return found.take(places[key])
