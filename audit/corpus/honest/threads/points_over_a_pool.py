"""Two threads measure the distances of half of the points each, and write them into one result.

baseline: pairwise_distance
needs: cpu
written: after-freeze
"""

from concurrent.futures import ThreadPoolExecutor

import torch

POOL = ThreadPoolExecutor(2)


def pairwise_distance(a, b):
    half = (a.shape[0] + 1) // 2

    def measure(rows):
        return torch.cdist(rows, b, compute_mode="donot_use_mm_for_euclid_dist")

    return torch.cat(list(POOL.map(measure, (a[:half], a[half:]))))
