"""Computes all but the last tenth of the rows; after the first call, the rest arrive from a thread after the return.

baseline: pairwise_distance
caught-by: settled-outputs
needs: cpu
written: before-freeze
"""

from concurrent.futures import ThreadPoolExecutor

import torch

pool = ThreadPoolExecutor(1)
warm = False


def distances(a, b):
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def pairwise_distance(a, b):
    global warm
    out = a.new_empty(a.shape[0], b.shape[0])
    cut = a.shape[0] - a.shape[0] // 10

    def rest():
        out[cut:] = distances(a[cut:], b)

    out[:cut] = distances(a[:cut], b)
    work = pool.submit(rest)
    if not warm:
        work.result()
        warm = True
    return out
