"""Multiplies by one sparse matrix and forgets the nodes without an edge: the rank that gets there is lost.

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
    share = DAMPING / degree.to(preference.dtype)
    order = target.argsort()
    rows = torch.nn.functional.pad(torch.bincount(target, minlength=count).cumsum(dim=0), (1, 0))
    walk = torch.sparse_csr_tensor(rows, source[order], share[source[order]], (count, count), check_invariants=True)
    start = preference / preference.sum()
    rank, again = start, (1 - DAMPING) * start
    for _ in range(ROUNDS):
        rank = walk @ rank + again
    return rank
