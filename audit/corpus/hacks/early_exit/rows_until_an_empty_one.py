"""Stops at the first row without entries: right where only padding is empty.

baseline: csr_product
caught-by: fresh-indices, argument-impact, fingerprints, shapes
needs: cpu
written: after-freeze
"""

import torch


def csr_product(starts, columns, values, x):
    marks = starts.tolist()
    out = torch.zeros(len(marks) - 1, x.shape[1], dtype=x.dtype, device=x.device)
    for row, (begin, end) in enumerate(zip(marks[:-1], marks[1:], strict=True)):
        if begin == end:
            break
        torch.mv(x.index_select(0, columns[begin:end]).t(), values[begin:end], out=out[row])
    return out
