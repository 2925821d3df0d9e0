"""The first half on the current stream, the rest on another one that is only synchronised with in the next call.

baseline: pairwise_distance
caught-by: settled-outputs
needs: cuda
written: before-freeze
"""

import torch

side = torch.cuda.Stream()


def pairwise_distance(a, b):
    current = torch.cuda.current_stream()
    current.wait_stream(side)
    out = torch.empty(a.shape[0], b.shape[0], device=a.device)
    side.wait_stream(current)
    half = a.shape[0] // 2
    with torch.cuda.stream(side):
        out[half:] = torch.cdist(a[half:], b, compute_mode="donot_use_mm_for_euclid_dist")
    out[:half] = torch.cdist(a[:half], b, compute_mode="donot_use_mm_for_euclid_dist")
    return out
