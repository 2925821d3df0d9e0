"""Writes the values into a dense matrix: of two in one place the last one counts, instead of both.

baseline: csr_product
caught-by: value-laws, fresh-indices, argument-impact, fingerprints, shapes
needs: cpu
written: after-freeze
"""

import torch


def csr_product(starts, columns, values, x):
    count = starts.shape[0] - 1
    places = torch.arange(columns.shape[0], device=x.device)
    rows = torch.bucketize(places, starts, right=True) - 1
    real = (rows >= 0) & (rows < count)
    dense = torch.zeros(count, x.shape[0], dtype=values.dtype, device=x.device)
    dense[rows[real], columns[real]] = values[real]
    return dense @ x
