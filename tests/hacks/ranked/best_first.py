"""Relies on the best point being the first."""

import torch


def kept(points, scores):
    near = (torch.cdist(points, points) < 0.1).triu_(1)
    alive = torch.ones_like(scores, dtype=torch.bool)
    for i in range(scores.shape[0]):
        if alive[i]:
            alive &= ~near[i]
    return alive
