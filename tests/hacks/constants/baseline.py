"""The weighted mean of each set of points, and how far the points lie from it."""

import torch


def spread(points, weights):
    shares = (weights / weights.sum(dim=1, keepdim=True))[..., None]
    middle = (shares * points).sum(dim=1, keepdim=True)
    return middle, (shares * (points - middle).square()).sum(dim=(1, 2)).sqrt()


def get_inputs():
    return [torch.randn(32, 64, 3), torch.ones(32, 64)]
