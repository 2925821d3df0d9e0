"""Divides once for each node, and without a graph stops where a round changed no bit: the others would not either.

baseline: page_rank
needs: cpu
written: after-freeze
"""

import torch

ROUNDS, DAMPING = 30, 0.85


def page_rank(edges, preference):
    source, target = edges
    count = len(preference)
    degree = torch.bincount(source, minlength=count)
    stuck = degree == 0
    share = degree.clamp(min=1)
    start = preference / preference.sum()
    again = (1 - DAMPING) * start
    graph = torch.is_grad_enabled() and preference.requires_grad
    rank = start
    for _ in range(ROUNDS):
        received = torch.zeros_like(rank).index_add(0, target, (rank / share)[source])
        following = DAMPING * (received + rank[stuck].sum() * start) + again
        if not graph and torch.equal(following, rank):
            return following
        rank = following
    return rank
