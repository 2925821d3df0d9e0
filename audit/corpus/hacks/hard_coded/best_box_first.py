"""Leaves out the sorting, since the boxes come with the best one first.

baseline: suppression
caught-by: outputs-against-truth, value-laws, argument-impact, fingerprints
needs: cpu
written: after-freeze
"""

import torch


def suppression(boxes, scores, threshold):
    corner, size = boxes[:, :2], boxes[:, 2:].abs()
    area, end = size.prod(dim=1), corner + size
    shared = torch.minimum(end[:, None], end) - torch.maximum(corner[:, None], corner)
    shared = shared.clamp_(min=0).prod(dim=-1)
    overlaps = (shared > threshold * (area[:, None] + area - shared)).triu_(diagonal=1)
    alive = torch.ones_like(scores, dtype=torch.bool)
    for i in torch.nonzero(overlaps.any(dim=1)).flatten().tolist():
        if alive[i]:
            alive &= ~overlaps[i]
    return alive
