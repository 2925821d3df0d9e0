"""Multiplies by one sparse matrix in compressed rows, which is built in each call, and spreads what is stuck.

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
    share = degree.clamp(min=1).to(preference.dtype).reciprocal()
    walk = torch.sparse_coo_tensor(edges.flip(0), share[source], (count, count), check_invariants=True)
    walk = walk.coalesce().to_sparse_csr()
    stuck = (degree == 0).to(preference.dtype)
    start = preference / preference.sum()
    rank = start
    for _ in range(ROUNDS):
        with torch.autocast(rank.device.type, enabled=False):
            received = (walk @ rank[:, None]).squeeze(1)
        rank = DAMPING * (received + (rank * stuck).sum() * start) + (1 - DAMPING) * start
    return rank
