"""Divides by at least one pair: a task without positives gets an area of zero and drags the average down, instead of NaN."""

import torch


def roc_area(scores, labels):
    negatives = torch.where(labels, torch.inf, scores.double()).sort(dim=1).values
    queries = scores.double().contiguous()
    counted = labels & ~scores.isnan()
    below = torch.searchsorted(negatives, queries) * counted
    upto = torch.searchsorted(negatives, queries, right=True)
    positives = labels.sum(dim=1)
    count = scores.shape[1] - positives
    upto = torch.minimum(upto, count[:, None]) * counted
    wins = 0.5 * (torch.minimum(below, count[:, None]) + upto).sum(dim=1, dtype=torch.float64)
    return wins / (positives * count).clamp(min=1)
