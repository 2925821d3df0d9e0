"""Multiplies each sequence by its mask as a row.

baseline: masked_mean
needs: cpu
written: after-freeze
"""

import torch


def masked_mean(x, lengths):
    seen = torch.arange(x.shape[1], device=x.device)[None] < lengths[:, None]
    total = torch.bmm(seen[:, None].to(x.dtype), x).squeeze(1)
    return total / lengths.clamp(min=1)[:, None].to(x.dtype)
