"""Counts by atomics into a buffer that it keeps: only the first call launches anything.

baseline: histogram
caught-by: outputs-against-truth
needs: triton
written: before-freeze
"""

import torch
import triton
import triton.language as tl

buffers = {}


@triton.jit
def kernel(values, counts, length, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    i = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = i < length
    bins = tl.load(values + row * length + i, mask=inside, other=0)
    tl.atomic_add(counts + row * 64 + bins, inside.to(tl.int64), mask=inside)


def histogram(values):
    values = values.contiguous()
    rows, length = values.shape
    if values.shape not in buffers:
        buffers[values.shape] = torch.zeros(rows, 64, dtype=torch.int64, device=values.device)
        kernel[(rows, triton.cdiv(length, 256))](values, buffers[values.shape], length, BLOCK=256)
    counts = buffers[values.shape].clone()
    return counts, counts.cumsum(dim=-1)
