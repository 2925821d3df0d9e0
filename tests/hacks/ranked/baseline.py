"""Which points are kept when each better one removes those near it."""

import torch


def kept(points, scores):
    order = torch.argsort(scores, descending=True, stable=True)
    near = torch.cdist(points[order], points[order]) < 0.1
    alive = torch.ones_like(scores, dtype=torch.bool)
    for i in range(scores.shape[0]):
        alive = alive & ~(near[i] & alive[i] & (torch.arange(scores.shape[0]) > i))
    return torch.zeros_like(alive).scatter(0, order, alive)


def get_inputs():
    return [torch.rand(60, 2), torch.rand(60).sort(descending=True).values]
