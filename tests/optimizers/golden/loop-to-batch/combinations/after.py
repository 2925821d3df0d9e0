# target: agreement
from itertools import combinations

import torch


def agreement(views):
    total = views.new_zeros(())
    n = views.shape[1]
    first, second = torch.triu_indices(n, n, 1, device=views.device)
    views_first = views[:, first]
    views_second = views[:, second]
    def one_pair(views_first_pair, views_second_pair):
        return torch.cosine_similarity(views_first_pair, views_second_pair, dim=-1).mean()
    total = total + torch.vmap(one_pair, in_dims=(1, 1))(
        views_first[:, :len(first)],
        views_second[:, :len(first)],
    ).sum(0)
    return total / n


def get_inputs():
    return [torch.randn(4, 3, 6)]
