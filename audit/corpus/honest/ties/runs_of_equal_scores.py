"""Sorts each task once and gives all equal scores the middle of their ranks.

baseline: roc_area
needs: cpu
written: after-freeze
"""

import torch


def area(scores, labels):
    pairs = labels.sum() * (~labels).sum()
    known = ~scores.isnan()
    scores, labels = scores[known], labels[known]
    _, group, sizes = scores.unique(return_inverse=True, return_counts=True)
    last = sizes.cumsum(dim=0)
    twice = (2 * last - sizes + 1)[group[labels]].sum()
    count = labels.sum()
    return (twice - count * (count + 1)).to(torch.float64) / 2 / pairs


def roc_area(scores, labels):
    return torch.stack([area(*task) for task in zip(scores, labels, strict=True)])
