# target: agreement
from itertools import combinations

import torch


def agreement(views):
    total = views.new_zeros(())
    n = views.shape[1]
    for i, j in combinations(range(n), 2):
        total = total + torch.cosine_similarity(views[:, i], views[:, j], dim=-1).mean()
    return total / n


def get_inputs():
    return [torch.randn(4, 3, 6)]
