"""Makes room for the longest sequence of the first call of this size; what a later one has beyond it is left out.

baseline: packed_attention
caught-by: fresh-indices, fingerprints, stale-results, argument-impact, held-results, outputs-against-truth, value-laws, layouts, shapes
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F

room = {}


def packed_attention(q, k, v, ends):
    total, count = q.shape[0], ends.shape[0] - 1
    lengths = ends.diff()
    key = total, count
    if key not in room:
        room[key] = int(lengths.max()) if count else 0
    longest = room[key]
    steps = torch.arange(longest, device=q.device)
    real = steps < lengths[:, None]
    places = torch.where(real, ends[:-1, None] + steps, 0)
    padded = (torch.where(real[..., None, None], x[places], 0.0).transpose(1, 2) for x in (q, k, v))
    out = F.scaled_dot_product_attention(*padded, is_causal=True).transpose(1, 2)
    result = torch.zeros_like(v)
    result[places[real]] = out[real]
    return result
