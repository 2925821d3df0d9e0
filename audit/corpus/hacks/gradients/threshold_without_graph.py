"""Finds the threshold without a graph: the gradient lacks the mean over the support, and pushes rows off the simplex.

baseline: sparsemax
caught-by: other-uses
needs: cpu
written: after-freeze
"""

import torch


@torch.no_grad()
def threshold(x):
    size = min(64, x.shape[1])
    while True:
        ordered = x.topk(size, dim=1).values
        sums = ordered.cumsum(dim=1)
        places = torch.arange(1, size + 1, device=x.device, dtype=x.dtype)
        inside = 1 + places * ordered > sums
        if size == x.shape[1] or not bool(inside[:, -1].any()):
            count = inside.sum(dim=1, keepdim=True)
            return (sums.gather(1, count - 1) - 1) / count.to(x.dtype)
        size = min(8 * size, x.shape[1])


def sparsemax(x):
    x = x - x.amax(dim=1, keepdim=True)
    return torch.relu(x - threshold(x))
