"""Looks the gains of the five usual grades up in a table: a higher grade counts as the fifth.

baseline: lambda_rank
caught-by: argument-impact
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def lambda_rank(scores, grades):
    order = scores.argsort(dim=1, descending=True, stable=True)
    table = torch.tensor([0.0, 1.0, 3.0, 7.0, 15.0], dtype=scores.dtype, device=scores.device)
    gains = table[grades.clamp(0, 4)]
    places = torch.log2(torch.arange(2, scores.shape[1] + 2, device=scores.device, dtype=scores.dtype))
    discounts = torch.empty_like(scores).scatter_(1, order, places.reciprocal().expand_as(scores))
    ideal = (gains.sort(dim=1, descending=True).values / places).sum(dim=1).clamp(min=1e-6)
    change = (gains[:, :, None] - gains[:, None]).relu_()
    change *= (discounts[:, :, None] - discounts[:, None]).abs_()
    pairs = F.softplus(scores[:, None] - scores[:, :, None])
    return torch.linalg.vecdot(pairs.flatten(1), change.flatten(1)) / ideal
