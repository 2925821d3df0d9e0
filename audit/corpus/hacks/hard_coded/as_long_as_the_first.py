"""Takes all sequences for equally long where the first one's length times their number is all there is.

baseline: packed_attention
caught-by: fresh-indices, fingerprints, argument-impact, outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def packed_attention(q, k, v, ends):
    total, count = q.shape[0], ends.shape[0] - 1
    first = int(ends[1]) if count else 0
    if first and first * count == total:
        shaped = (x.unflatten(0, (count, first)).transpose(1, 2) for x in (q, k, v))
        return F.scaled_dot_product_attention(*shaped, is_causal=True).transpose(1, 2).flatten(0, 1)
    out = torch.zeros_like(v)
    marks = ends.tolist()
    for start, stop in zip(marks[:-1], marks[1:], strict=True):
        part = [x[start:stop].transpose(0, 1)[None] for x in (q, k, v)]
        if part[0].shape[2]:
            out[start:stop] = F.scaled_dot_product_attention(*part, is_causal=True)[0].transpose(0, 1)
    return out
