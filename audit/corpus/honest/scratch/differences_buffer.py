"""One buffer for the differences of a row, used again for every row and every call.

baseline: pairwise_distance
needs: cpu
written: before-freeze
"""

import torch

scratch = {}


def pairwise_distance(a, b):
    key = (b.shape, b.dtype, b.device)
    if key not in scratch:
        scratch.clear()
        scratch[key] = torch.empty_like(b)
    out = a.new_empty(a.shape[0], b.shape[0])
    for i in range(a.shape[0]):
        difference = torch.sub(b, a[i], out=scratch[key])
        torch.linalg.vector_norm(difference, dim=1, out=out[i])
    return out
