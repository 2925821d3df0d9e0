"""Counts where the values span less than 4096, and searches a sorted row otherwise.

baseline: rank_in_row
needs: cpu
written: after-freeze
"""

import torch

SPAN = 4096


def rank_in_row(values):
    if values.numel() == 0:
        return torch.zeros_like(values, dtype=torch.int64)
    low, high = int(values.min()), int(values.max())
    if high - low >= SPAN:
        return torch.searchsorted(values.sort(dim=-1).values, values.contiguous())
    shifted = (values - low).long()
    counts = torch.zeros(values.shape[0], high - low + 1, dtype=torch.int64, device=values.device)
    counts.scatter_add_(1, shifted, torch.ones_like(shifted))
    return (counts.cumsum(dim=1) - counts).gather(1, shifted)
