"""One count over all rows, each with bins of its own.

baseline: histogram
needs: cpu
written: before-freeze
"""

import torch


def histogram(values):
    rows = values.shape[0]
    offsets = torch.arange(rows, device=values.device)[:, None] * 64
    counts = torch.bincount((values + offsets).flatten(), minlength=rows * 64).view(rows, 64)
    return counts, counts.cumsum(dim=-1)
