"""Keeps what each row and column has lost so far, and never rewrites the scores.

baseline: sinkhorn
needs: cpu
written: after-freeze
"""

import torch

ROUNDS = 20


def sinkhorn(scores):
    columns = torch.zeros_like(scores[..., :1, :])
    for _ in range(ROUNDS):
        rows = torch.logsumexp(scores - columns, dim=-1, keepdim=True)
        columns = torch.logsumexp(scores - rows, dim=-2, keepdim=True)
    return (scores - rows - columns).exp_()
