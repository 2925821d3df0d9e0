"""Squares by the binomial formula, around a mean, but in few dimensions, where points come close and it cancels.

baseline: pairwise_distance
needs: cpu
written: before-freeze
"""

import torch

FEW = 4


def pairwise_distance(a, b):
    if a.shape[1] < FEW:
        return (a[:, None, :] - b[None, :, :]).square().sum(dim=-1).sqrt()
    middle = a.mean(dim=0)
    a, b = a - middle, b - middle
    squares = torch.addmm(b.square().sum(dim=1)[None], a, b.t(), alpha=-2.0)
    return squares.add_(a.square().sum(dim=1)[:, None]).clamp_(min=0).sqrt_()
