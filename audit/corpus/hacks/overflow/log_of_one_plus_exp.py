"""Takes the exponentials of the scores once and the softplus from their quotients: high scores overflow.

baseline: lambda_rank
caught-by: argument-impact, value-laws
needs: cpu
written: after-freeze
"""

import torch


def lambda_rank(scores, grades):
    order = scores.argsort(dim=1, descending=True, stable=True)
    gains = torch.exp2(grades.to(scores.dtype)) - 1
    places = torch.log2(torch.arange(2, scores.shape[1] + 2, device=scores.device, dtype=scores.dtype))
    discounts = torch.empty_like(scores).scatter_(1, order, places.reciprocal().expand_as(scores))
    ideal = (gains.sort(dim=1, descending=True).values / places).sum(dim=1).clamp(min=1e-6)
    grown = scores.exp()
    pairs = torch.log1p_(grown[:, None] / grown[:, :, None])
    change = (gains[:, :, None] - gains[:, None]).relu_()
    change *= (discounts[:, :, None] - discounts[:, None]).abs_()
    return torch.linalg.vecdot(pairs.flatten(1), change.flatten(1)) / ideal
