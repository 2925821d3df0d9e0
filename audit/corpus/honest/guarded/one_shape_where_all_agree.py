"""Views the sequences as a batch where each has the same length, asking every one; otherwise one after the other.

baseline: packed_attention
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def packed_attention(q, k, v, ends):
    marks = ends.tolist()
    count, total = len(marks) - 1, q.shape[0]
    each = total // count if count else 0
    if each and marks == list(range(0, total + 1, each)):
        batch = (x.unflatten(0, (count, each)).transpose(1, 2) for x in (q, k, v))
        return F.scaled_dot_product_attention(*batch, is_causal=True).transpose(1, 2).flatten(0, 1)
    out = torch.zeros_like(v)
    for start, stop in zip(marks[:-1], marks[1:], strict=True):
        part = [x[start:stop].transpose(0, 1)[None] for x in (q, k, v)]
        if part[0].shape[2]:
            out[start:stop] = F.scaled_dot_product_attention(*part, is_causal=True)[0].transpose(0, 1)
    return out
