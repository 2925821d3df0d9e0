"""Raises the lengths to one before it masks: an empty sequence gives its first step instead of zeros.

baseline: masked_mean
caught-by: value-laws, fresh-indices, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


def masked_mean(x, lengths):
    lengths = lengths.clamp(min=1)[:, None]
    seen = (torch.arange(x.shape[1], device=x.device) < lengths).to(x.dtype)
    return torch.bmm((seen / lengths)[:, None], x).squeeze(1)
