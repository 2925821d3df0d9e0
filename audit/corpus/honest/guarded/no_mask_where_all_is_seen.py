"""Sums all steps where no sequence is shorter, and multiplies by the mask in one product otherwise.

baseline: masked_mean
needs: cpu
written: after-freeze
"""

import torch


def masked_mean(x, lengths):
    counts = lengths.clamp(min=1)[:, None].to(x.dtype)
    if bool((lengths >= x.shape[1]).all()):
        return x.sum(dim=1) / counts
    seen = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
    return torch.einsum("bt,btd->bd", seen.to(x.dtype), x) / counts
