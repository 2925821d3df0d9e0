"""Takes the edges for sorted by their source, as an export writes them, and saves the gather: other orders send rank astray.

baseline: page_rank
caught-by: fresh-indices, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch

ROUNDS, DAMPING = 30, 0.85


def page_rank(edges, preference):
    source, target = edges
    count = len(preference)
    degree = torch.bincount(source, minlength=count)
    stuck = (degree == 0).nonzero().squeeze(1)
    share = DAMPING / degree.clamp(min=1).to(preference.dtype)
    start = preference / preference.sum()
    rank = start
    for _ in range(ROUNDS):
        kept = DAMPING * rank.index_select(0, stuck).sum() + 1 - DAMPING
        sent = (rank * share).repeat_interleave(degree, output_size=len(source))
        rank = (kept * start).index_add(0, target, sent)
    return rank
