"""Strikes each chosen point out: where a cloud has fewer places than picks, the original begins again at the first.

baseline: farthest_points
caught-by: outputs-against-truth, value-laws, shapes, argument-impact
needs: cpu
written: after-freeze
"""

import torch


def farthest_points(clouds, count):
    batch, points, size = clouds.shape
    picks = torch.zeros(batch, count, dtype=torch.long, device=clouds.device)
    nearest = torch.full_like(clouds[..., 0], float("inf"))
    for i in range(1, count):
        last = clouds.gather(1, picks[:, i - 1, None, None].expand(-1, 1, size))
        nearest = torch.minimum(nearest, ((clouds - last) ** 2).sum(dim=-1))
        nearest.scatter_(1, picks[:, i - 1, None], -1.0)
        picks[:, i] = nearest.argmax(dim=1)
    return picks
