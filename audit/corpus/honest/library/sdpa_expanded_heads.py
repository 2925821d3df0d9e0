"""Scaled dot-product attention over shared heads that are expanded, not copied.

baseline: gqa_attention
needs: cpu
written: before-freeze
"""

import torch.nn.functional as F


def gqa_attention(q, k, v):
    batch, heads, length, size = q.shape
    shared = k.shape[1]
    shape = (batch, shared, heads // shared, k.shape[2], size)
    k = k[:, :, None].expand(shape).reshape(batch, heads, -1, size)
    v = v[:, :, None].expand(shape).reshape(batch, heads, -1, size)
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)
