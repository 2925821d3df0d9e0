"""Counts by atomics into a cleared buffer; sums of integers do not depend on the order.

baseline: histogram
needs: triton
written: before-freeze
"""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(values, counts, length, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    i = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = i < length
    bins = tl.load(values + row * length + i, mask=inside, other=0)
    tl.atomic_add(counts + row * 64 + bins, inside.to(tl.int64), mask=inside & (bins >= 0) & (bins < 64))


def histogram(values):
    values = values.contiguous()
    rows, length = values.shape
    counts = torch.zeros(rows, 64, dtype=torch.int64, device=values.device)
    if values.numel():
        kernel[(rows, triton.cdiv(length, 256))](values, counts, length, BLOCK=256)
    return counts, counts.cumsum(dim=-1)
