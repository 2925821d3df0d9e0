"""LambdaRank: the logistic loss of each pair of documents in the wrong order, weighted by what a swap would change in NDCG."""

import torch
import torch.nn.functional as F


def lambda_rank(scores, grades):
    ranks = scores.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    gains = torch.pow(2.0, grades.to(scores.dtype)) - 1
    discounts = 1 / torch.log2(ranks.to(scores.dtype) + 2)
    places = torch.arange(2, scores.shape[1] + 2, device=scores.device, dtype=scores.dtype)
    ideal = (gains.sort(dim=1, descending=True).values / torch.log2(places)).sum(dim=1).clamp(min=1e-6)
    change = (gains[:, :, None] - gains[:, None]).abs() * (discounts[:, :, None] - discounts[:, None]).abs()
    better = grades[:, :, None] > grades[:, None]
    pairs = F.softplus(scores[:, None] - scores[:, :, None]) * change / ideal[:, None, None]
    return (pairs * better).sum(dim=(1, 2))


def get_inputs():
    return [torch.randn(24, 128), torch.randint(0, 5, (24, 128))]
