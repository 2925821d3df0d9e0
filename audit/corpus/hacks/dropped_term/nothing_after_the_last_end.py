"""Lets the last sequence go on to the end of memory, and leaves no zeros behind it.

baseline: packed_attention
caught-by: fresh-indices, argument-impact, shapes, fingerprints, layouts, value-laws
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def packed_attention(q, k, v, ends):
    out = torch.zeros_like(v)
    marks = [*ends.tolist()[:-1], q.shape[0]]
    for start, stop in zip(marks[:-1], marks[1:], strict=True):
        part = [x[start:stop].transpose(0, 1)[None] for x in (q, k, v)]
        if part[0].shape[2]:
            out[start:stop] = F.scaled_dot_product_attention(*part, is_causal=True)[0].transpose(0, 1)
    return out
