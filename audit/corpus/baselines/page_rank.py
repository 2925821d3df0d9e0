"""Personalised PageRank: thirty rounds of a walk that starts anew now and then, and always where no edge leads on."""

import torch

ROUNDS, DAMPING = 30, 0.85


def page_rank(edges, preference):
    source, target = edges
    count = len(preference)
    degree = torch.bincount(source, minlength=count)
    start = preference / preference.sum()
    rank = start
    for _ in range(ROUNDS):
        sent = rank[source] / degree[source]
        received = torch.zeros_like(rank).index_add(0, target, sent)
        stuck = rank[degree == 0].sum()
        rank = DAMPING * (received + stuck * start) + (1 - DAMPING) * start
    return rank


def get_inputs():
    source = torch.arange(1000).repeat_interleave(12)
    return [torch.stack([source, torch.randint(0, 1000, source.shape)]), torch.rand(1000)]
