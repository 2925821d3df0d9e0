"""Squares of a difference by the binomial formula, clamped at zero; the points are far apart.

baseline: pairwise_distance
needs: cpu
written: before-freeze
"""

import torch


def pairwise_distance(a, b):
    squares = torch.addmm(b.square().sum(dim=1)[None], a, b.t(), alpha=-2.0)
    return squares.add_(a.square().sum(dim=1)[:, None]).clamp_(min=0).sqrt_()
