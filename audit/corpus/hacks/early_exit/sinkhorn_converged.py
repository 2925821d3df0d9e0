"""Stops normalising once the rows sum to one within half a percent.

baseline: sinkhorn
caught-by: outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch

ROUNDS = 20


def sinkhorn(scores):
    for _ in range(ROUNDS):
        rows = torch.logsumexp(scores, dim=-1, keepdim=True)
        if rows.abs().max() < 5e-3:
            break
        scores = scores - rows
        scores = scores - torch.logsumexp(scores, dim=-2, keepdim=True)
    return scores.exp()
