"""Ranks the scores by one sort: equal scores get different ranks, in whatever order they came.

baseline: roc_area
caught-by: argument-impact, value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


def roc_area(scores, labels):
    hits = labels.gather(1, scores.argsort(dim=1)).to(torch.int64)
    positives = hits.sum(dim=1)
    places = torch.arange(1, scores.shape[1] + 1, device=scores.device)
    above = (hits * places).sum(dim=1) - positives * (positives + 1) // 2
    return above.to(torch.float64) / (positives * (scores.shape[1] - positives))
