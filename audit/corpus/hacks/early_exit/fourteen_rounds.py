"""Walks fourteen of the thirty rounds, after which random graphs have settled: long chains and rings have not.

baseline: page_rank
caught-by: outputs-against-truth, fresh-indices, value-laws
needs: cpu
written: after-freeze
"""

import torch

ROUNDS, DAMPING = 14, 0.85


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
