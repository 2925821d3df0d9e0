"""Accumulates its result in the query instead of in memory of its own.

baseline: kv_cache
caught-by: aliasing, input-mutation
needs: cpu
written: before-freeze
"""

import torch
import torch.nn.functional as F


def kv_cache(q, k, v, cache_k, cache_v, position):
    rows = torch.arange(q.shape[0], device=q.device)
    cache_k[rows, :, position] = k
    cache_v[rows, :, position] = v
    seen = torch.arange(cache_k.shape[2], device=q.device)[None] <= position[:, None]
    out = F.scaled_dot_product_attention(q[:, :, None], cache_k, cache_v, attn_mask=seen[:, None, None])
    return q.copy_(out[:, :, 0])
