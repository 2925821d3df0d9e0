"""Distances of points from the middle of their cloud, measured by the spread of each axis."""

import torch


def distances(points):
    centred = points - points.mean(dim=0)
    spread = torch.linalg.vector_norm(centred, dim=0) / points.shape[0] ** 0.5
    return torch.linalg.vector_norm(centred / (spread + 1e-6), dim=1)


def get_inputs():
    return [torch.randn(64, 8)]
