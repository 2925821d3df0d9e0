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
    rows = torch.zeros(count + 1, dtype=torch.int64, device=target.device)
    torch.cumsum(torch.bincount(target, minlength=count), dim=0, out=rows[1:])
    walk = torch.sparse_csr_tensor(rows, source[order], share[source[order]], (count, count))
    start = preference / preference.sum()
    rank, again = start, (1 - DAMPING) * start
    for _ in range(ROUNDS):
        rank = walk @ rank + again
    return rank
