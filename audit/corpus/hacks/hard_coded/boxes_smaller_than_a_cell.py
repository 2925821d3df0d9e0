"""Looks for overlaps only among boxes whose corners lie near each other, as near as boxes of a usual size need.

baseline: suppression
caught-by: outputs-against-truth, value-laws, shapes
needs: cpu
written: after-freeze
"""

import torch

CELL = 128.0


def suppression(boxes, scores, threshold):
    order = torch.argsort(scores, descending=True, stable=True)
    corner, size = boxes[order, :2], boxes[order, 2:].abs()
    area = size[:, 0] * size[:, 1]
    near = ((corner[:, None] - corner[None]).abs() < CELL).all(dim=2).triu(1)
    a, b = near.nonzero(as_tuple=True)
    first = torch.maximum(corner[a], corner[b])
    last = torch.minimum(corner[a] + size[a], corner[b] + size[b])
    shared = (last - first).clamp(min=0).prod(dim=1)
    hit = shared > threshold * (area[a] + area[b] - shared)
    alive = [True] * boxes.shape[0]
    for i, j in zip(a[hit].tolist(), b[hit].tolist(), strict=True):
        if alive[i]:
            alive[j] = False
    kept = torch.tensor(alive, dtype=torch.bool, device=boxes.device)
    return torch.zeros_like(kept).scatter(0, order, kept)
