"""All overlaps at once; only boxes that have one are then looked at in turn, best first.

baseline: suppression
needs: cpu
written: after-freeze
"""

import torch


def suppression(boxes, scores, threshold):
    order = torch.argsort(scores, descending=True, stable=True)
    corner, size = boxes[order, :2], boxes[order, 2:].abs()
    area, end = size[:, 0] * size[:, 1], corner + size
    shared = torch.minimum(end[:, None], end) - torch.maximum(corner[:, None], corner)
    shared = shared.clamp_(min=0).prod(dim=-1)
    overlaps = (shared > threshold * (area[:, None] + area - shared)).triu_(diagonal=1)
    alive = torch.ones_like(scores, dtype=torch.bool)
    for i in torch.nonzero(overlaps.any(dim=1)).flatten().tolist():
        alive &= ~(overlaps[i] & alive[i])
    return torch.zeros_like(alive).scatter_(0, order, alive)
