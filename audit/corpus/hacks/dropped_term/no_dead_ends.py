"""Adds what is sent to what starts anew, and forgets the nodes without an edge: the rank that gets there is lost.

baseline: page_rank
caught-by: fresh-indices, outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch

ROUNDS, DAMPING = 30, 0.85


def page_rank(edges, preference):
    source, target = edges
    count = len(preference)
    degree = torch.bincount(source, minlength=count)
    share = DAMPING / degree.clamp(min=1).to(preference.dtype)
    start = preference / preference.sum()
    rank, again = start, (1 - DAMPING) * start
    for _ in range(ROUNDS):
        rank = again.index_add(0, target, (rank * share).index_select(0, source))
    return rank
