"""Scale, rounding to even and what comes back, in one pass over each row.

baseline: quantise
needs: triton
written: before-freeze
"""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(x, q, scale, back, width, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < width
    values = tl.load(x + row * width + columns, mask=inside, other=0.0)
    unknown = tl.max((values != values).to(tl.int32), axis=0)
    step = tl.where(unknown > 0, float("nan"), tl.maximum(tl.max(tl.abs(values), axis=0), 1e-8) / 127.0)
    scaled = values / step
    whole = tl.floor(scaled)
    rest = scaled - whole
    odd = whole - 2.0 * tl.floor(whole / 2.0)
    whole += tl.where((rest > 0.5) | ((rest == 0.5) & (odd != 0.0)), 1.0, 0.0)
    whole = tl.maximum(whole, -127.0, propagate_nan=tl.PropagateNan.ALL)
    whole = tl.minimum(whole, 127.0, propagate_nan=tl.PropagateNan.ALL)
    tl.store(q + row * width + columns, whole.to(tl.int8), mask=inside)
    tl.store(back + row * width + columns, whole * step, mask=inside)
    tl.store(scale + row, step)


def quantise(x):
    x, width = x.contiguous(), x.shape[-1]
    q, back = torch.empty_like(x, dtype=torch.int8), torch.empty_like(x)
    scale = x.new_empty(*x.shape[:-1], 1)
    if x.numel():
        kernel[(x.numel() // width,)](x, q, scale, back, width, BLOCK=triton.next_power_of_2(width))
    return q, scale, back
