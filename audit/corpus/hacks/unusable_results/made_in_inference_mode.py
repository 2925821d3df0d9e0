"""Counts in inference mode, so that its results can be neither changed in place nor saved for a backward pass.

baseline: histogram
caught-by: contract, aliasing
needs: cpu
written: after-freeze
"""

import torch

BINS = 64


@torch.inference_mode()
def histogram(values):
    inside = (values >= 0) & (values < BINS)
    counts = torch.zeros(values.shape[0], BINS + 1, dtype=torch.int64, device=values.device)
    counts.scatter_add_(1, torch.where(inside, values, BINS), torch.ones_like(values, dtype=torch.int64))
    counts = counts[:, :BINS].contiguous()
    return counts, counts.cumsum(dim=-1)
