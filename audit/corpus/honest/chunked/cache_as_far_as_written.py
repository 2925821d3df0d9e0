"""Reads the caches only as far as the longest sequence has written them.

baseline: kv_cache
needs: cpu
written: after-freeze
"""

import math

import torch


def kv_cache(q, k, v, cache_k, cache_v, position):
    batch = torch.arange(q.shape[0], device=q.device)
    cache_k[batch, :, position] = k
    cache_v[batch, :, position] = v
    end = int(position.max()) + 1 if position.numel() else 1
    seen = torch.arange(end, device=q.device)[None] <= position[:, None]
    scores = (cache_k[:, :, :end] @ q[..., None]).squeeze(-1) / math.sqrt(q.shape[-1])
    weights = torch.softmax(scores.masked_fill_(~seen[:, None], float("-inf")), dim=-1)
    return (weights[:, :, None] @ cache_v[:, :, :end]).squeeze(2)
