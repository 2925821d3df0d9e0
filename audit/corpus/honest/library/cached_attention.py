"""index_put for the caches, and scaled dot-product attention over them.

baseline: kv_cache
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
    return out[:, :, 0]
