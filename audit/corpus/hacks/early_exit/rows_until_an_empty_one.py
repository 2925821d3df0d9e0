"""Stops at the first row without entries: right where only padding is empty.

baseline: csr_product
caught-by: fresh-indices, argument-impact, fingerprints, shapes, value-laws
needs: cpu
written: after-freeze
"""

import torch


def csr_product(starts, columns, values, x):
    counts = starts.diff()
    filled = int(torch.cumprod(counts > 0, dim=0).sum())
    last = int(starts[filled])
    rows = torch.repeat_interleave(torch.arange(filled, device=x.device), counts[:filled], output_size=last)
    out = torch.zeros(counts.shape[0], x.shape[1], dtype=x.dtype, device=x.device)
    return out.index_add_(0, rows, values[:last, None] * x[columns[:last]])
