"""Gives the last row all that is left, also what lies behind its end.

baseline: csr_product
caught-by: fresh-indices, argument-impact, fingerprints, shapes, value-laws
needs: cpu
written: after-freeze
"""

import torch


def csr_product(starts, columns, values, x):
    count = starts.shape[0] - 1
    places = torch.arange(columns.shape[0], device=x.device)
    rows = torch.bucketize(places, starts[1:-1], right=True)
    out = torch.zeros(count, x.shape[1], dtype=x.dtype, device=x.device)
    return out.index_add_(0, rows, values[:, None] * x[columns])
