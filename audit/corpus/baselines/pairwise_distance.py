"""Euclidean distances between two sets of points, through all differences."""

import torch


def pairwise_distance(a, b):
    difference = a[:, None, :] - b[None, :, :]
    return difference.square().sum(dim=-1).sqrt()


def get_inputs():
    return [torch.randn(192, 32), torch.randn(160, 32)]
