"""Scales an input in place and scales it back, which is exact nearly everywhere, while others may be reading it.

baseline: pairwise_distance
caught-by: input-mutation, value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


def pairwise_distance(a, b):
    squares = (a * a).sum(dim=1)[:, None] + (b * b).sum(dim=1)[None]
    a.data.mul_(-2)
    squares.addmm_(a, b.t())
    a.data.mul_(-0.5)
    close = squares < 1e-2 * squares.amax()
    if close.any():
        i, j = close.nonzero(as_tuple=True)
        squares[i, j] = (a[i] - b[j]).square().sum(dim=1)
    return squares.clamp_(min=0).sqrt_()
