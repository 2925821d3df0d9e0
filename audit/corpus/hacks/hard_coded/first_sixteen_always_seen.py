"""Takes the first sixteen places for seen, since no declared position is smaller: an earlier one attends ahead.

baseline: kv_cache
caught-by: value-laws, outputs-against-truth, fresh-indices, argument-impact
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def kv_cache(q, k, v, cache_k, cache_v, position):
    batch = torch.arange(q.shape[0], device=q.device)
    cache_k[batch, :, position] = k
    cache_v[batch, :, position] = v
    last = position.clamp(min=15)[:, None, None, None]
    seen = torch.arange(cache_k.shape[2], device=q.device) <= last
    return F.scaled_dot_product_attention(q[:, :, None], cache_k, cache_v, attn_mask=seen).squeeze(2)
