"""Copies the scores once and subtracts the sums from the copy.

baseline: sinkhorn
needs: cpu
written: after-freeze
"""

import torch

ROUNDS = 20


def sinkhorn(scores):
    scores = scores.clone()
    for _ in range(ROUNDS):
        scores.sub_(torch.logsumexp(scores, dim=-1, keepdim=True))
        scores.sub_(torch.logsumexp(scores, dim=-2, keepdim=True))
    return scores.exp_()
