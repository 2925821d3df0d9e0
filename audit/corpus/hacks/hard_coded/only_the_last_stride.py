"""Copies inputs only where the last dimension is not dense, and takes the other strides for those of dense ones: wrong for slices of joint projections.

baseline: packed_attention
caught-by: layouts, other-uses
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def flat(x):
    if x.stride(-1) != 1:
        x = x.contiguous()
    total, heads, width = x.shape
    return x.as_strided((heads, total, width), (width, heads * width, 1))


def packed_attention(q, k, v, ends):
    marks = ends.tolist()
    queries, keys, values = flat(q), flat(k), flat(v)
    out = torch.zeros_like(v)
    for start, stop in zip(marks[:-1], marks[1:], strict=True):
        if start < stop:
            part = (x[None, :, start:stop] for x in (queries, keys, values))
            out[start:stop] = F.scaled_dot_product_attention(*part, is_causal=True)[0].transpose(0, 1)
    return out
