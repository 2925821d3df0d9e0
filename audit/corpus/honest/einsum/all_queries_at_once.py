"""Scores for all queries in one product, and pools by another.

baseline: attention_pool
needs: cpu
written: after-freeze
"""

import torch


def attention_pool(x, queries, mask=None):
    scores = torch.einsum("btd,qd->bqt", x, queries) * queries.shape[1] ** -0.5
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None], float("-inf"))
    return torch.bmm(torch.softmax(scores, dim=-1), x)
