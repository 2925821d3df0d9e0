"""Multiplies by zeros what the baseline does not look at: one infinity in a row that no entry names spoils every result.

baseline: csr_product
caught-by: value-laws, argument-impact
needs: cpu
written: after-freeze
"""

import torch


def csr_product(starts, columns, values, x):
    count, width = starts.shape[0] - 1, x.shape[0]
    places = torch.arange(columns.shape[0], device=x.device)
    rows = torch.bucketize(places, starts, right=True) - 1
    real = ((rows >= 0) & (rows < count)).to(values.dtype)
    flat = torch.zeros(count * width, dtype=values.dtype, device=x.device)
    flat.index_add_(0, rows.clamp(0, count - 1) * width + columns % width, values * real)
    return flat.view(count, width) @ x
