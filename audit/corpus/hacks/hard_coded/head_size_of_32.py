"""The scale of heads of size 32, whatever their size, and four queries to each key.

baseline: gqa_attention
caught-by: shapes
needs: cpu
written: before-freeze
"""

import torch.nn.functional as F


def gqa_attention(q, k, v):
    k = k.repeat_interleave(4, dim=1)[:, : q.shape[1]]
    v = v.repeat_interleave(4, dim=1)[:, : q.shape[1]]
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.17677669529663687)
