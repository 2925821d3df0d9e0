"""Sorts the negatives of a task and looks each positive up from both sides: twice its wins, as an exact integer.

baseline: roc_area
needs: cpu
written: after-freeze
"""

import torch


def area(scores, labels):
    positive, negative = scores[labels], scores[~labels]
    pairs = len(positive) * len(negative)
    positive, negative = positive[~positive.isnan()], negative[~negative.isnan()].sort().values
    twice = torch.searchsorted(negative, positive).sum() + torch.searchsorted(negative, positive, right=True).sum()
    return twice.to(torch.float64) / 2 / pairs


def roc_area(scores, labels):
    return torch.stack([area(*task) for task in zip(scores, labels, strict=True)])
