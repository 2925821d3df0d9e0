"""Scaled dot-product attention with a mask of what is not padded, and zeros where there is nothing else.

baseline: cross_attention
needs: cpu
written: after-freeze
"""

import torch.nn.functional as F


def cross_attention(q, k, v, padding):
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=~padding[:, None, None])
    return out.masked_fill(padding.all(dim=-1)[:, None, None, None], 0.0)
