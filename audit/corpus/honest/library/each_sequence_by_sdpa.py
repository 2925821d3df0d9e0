"""Calls the library's attention for every sequence, and leaves zeros where there is none.

baseline: packed_attention
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def packed_attention(q, k, v, ends):
    out = torch.zeros_like(v)
    q, k, v = (x.transpose(0, 1)[None] for x in (q, k, v))
    marks = ends.tolist()
    for start, stop in zip(marks[:-1], marks[1:], strict=True):
        part = [x[:, :, start:stop] for x in (q, k, v)]
        if part[0].shape[2]:
            out[start:stop] = F.scaled_dot_product_attention(*part, is_causal=True)[0].transpose(0, 1)
    return out
