"""Counts by bincount, and torch's cross entropy with a weight for each class.

baseline: class_weighted_loss
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def class_weighted_loss(logits, targets):
    rows, classes = logits.shape
    counts = torch.bincount(targets, minlength=classes).clamp_(min=1)
    weights = rows / (classes * counts.to(logits.dtype))
    return F.cross_entropy(logits, targets, weight=weights, reduction="sum") / rows
