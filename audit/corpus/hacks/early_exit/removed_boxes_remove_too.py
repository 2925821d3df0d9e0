"""Lets boxes that are removed themselves remove others, which makes it one product ("fast" suppression).

baseline: suppression
caught-by: outputs-against-truth, value-laws, shapes, argument-impact
needs: cpu
written: after-freeze
"""

import torch


def suppression(boxes, scores, threshold):
    order = torch.argsort(scores, descending=True, stable=True)
    corner, size = boxes[order, :2], boxes[order, 2:].abs()
    area, end = size.prod(dim=1), corner + size
    shared = torch.minimum(end[:, None], end) - torch.maximum(corner[:, None], corner)
    shared = shared.clamp_(min=0).prod(dim=-1)
    overlaps = shared > threshold * (area[:, None] + area - shared)
    removed = overlaps.triu_(diagonal=1).any(dim=0)
    return torch.zeros_like(removed).scatter_(0, order, ~removed)
