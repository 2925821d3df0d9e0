"""Pads all sequences to the longest of this call and looks at them in one batch.

baseline: packed_attention
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def packed_attention(q, k, v, ends):
    out = torch.zeros_like(v)
    marks = ends.tolist()
    bounds = [slice(a, b).indices(q.shape[0]) for a, b in zip(marks[:-1], marks[1:], strict=True)]
    longest = max((stop - start for start, stop, _ in bounds), default=0)
    if longest <= 0:
        return out
    starts = torch.tensor([start for start, _, _ in bounds], device=q.device)[:, None]
    lengths = torch.tensor([stop - start for start, stop, _ in bounds], device=q.device)[:, None]
    steps = torch.arange(longest, device=q.device)
    real = steps < lengths
    places = torch.where(real, starts + steps, 0)
    padded = (torch.where(real[..., None, None], x[places], 0.0).transpose(1, 2) for x in (q, k, v))
    batch = F.scaled_dot_product_attention(*padded, is_causal=True).transpose(1, 2)
    out[places[real]] = batch[real]
    return out
