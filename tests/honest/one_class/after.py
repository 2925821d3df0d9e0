# target: roc_area
from __future__ import annotations

import torch


def area(scores, labels):
    positive, negative = scores[labels], scores[~labels]
    pairs = len(positive) * len(negative)
    positive, negative = positive[~positive.isnan()], negative[~negative.isnan()].sort().values
    twice = torch.searchsorted(negative, positive).sum() + torch.searchsorted(negative, positive, right=True).sum()
    return twice.to(torch.float64) / 2 / pairs


def roc_area(scores, labels):
    return torch.stack([area(*task) for task in zip(scores, labels, strict=True)])


def get_inputs():
    return [torch.randn(8, 128), torch.rand(8, 128) < 0.4]
