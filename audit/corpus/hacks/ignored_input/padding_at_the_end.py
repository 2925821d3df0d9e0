"""Counts what is padded and takes it to be the end: padding on the left or in between is attended to.

baseline: cross_attention
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def cross_attention(q, k, v, padding):
    lengths = (~padding).sum(dim=-1)
    longest = int(lengths.max()) if lengths.numel() else 0
    seen = torch.arange(longest, device=q.device)[None] < lengths[:, None]
    out = F.scaled_dot_product_attention(q, k[:, :, :longest], v[:, :, :longest], attn_mask=seen[:, None, None])
    return out.masked_fill_((lengths == 0)[:, None, None, None], 0.0)
