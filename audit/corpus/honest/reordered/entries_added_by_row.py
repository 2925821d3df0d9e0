"""Multiplies all entries at once and adds them up by row; entries behind the last row fall away.

baseline: csr_product
needs: cpu
written: after-freeze
"""

import torch


def csr_product(starts, columns, values, x):
    first, last = int(starts[0]), int(starts[-1])
    rows = torch.repeat_interleave(starts.diff(), output_size=last - first)
    out = torch.zeros(starts.shape[0] - 1, x.shape[1], dtype=x.dtype, device=x.device)
    return out.index_add(0, rows, values[first:last, None] * x[columns[first:last]])
