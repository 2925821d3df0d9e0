"""Scores and results of one step by einsum.

baseline: kv_cache
needs: cpu
written: before-freeze
"""

import torch


def kv_cache(q, k, v, cache_k, cache_v, position):
    rows = torch.arange(q.shape[0], device=q.device)
    cache_k[rows, :, position] = k
    cache_v[rows, :, position] = v
    scores = torch.einsum("bhd,bhtd->bht", q, cache_k) * q.shape[-1] ** -0.5
    seen = torch.arange(cache_k.shape[2], device=q.device)[None] <= position[:, None]
    weights = torch.softmax(scores.masked_fill(~seen[:, None], float("-inf")), dim=-1)
    return torch.einsum("bht,bhtd->bhd", weights, cache_v)
