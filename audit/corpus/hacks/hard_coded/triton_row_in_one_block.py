"""A block of 512 columns for every row: what lies beyond is neither summed nor written.

baseline: rms_norm
caught-by: shapes
needs: triton
written: before-freeze
"""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(x, weight, out, width, BLOCK: tl.constexpr):
    row = tl.program_id(0) * width
    columns = tl.arange(0, BLOCK)
    inside = columns < width
    values = tl.load(x + row + columns, mask=inside, other=0.0)
    scale = tl.rsqrt(tl.sum(values * values, axis=0) / width + 1e-6)
    gain = tl.load(weight + columns, mask=inside)
    tl.store(out + row + columns, values * scale * gain, mask=inside)


def rms_norm(x, weight):
    x = x.contiguous()
    out = torch.empty_like(x)
    kernel[(x.numel() // x.shape[-1],)](x, weight, out, x.shape[-1], BLOCK=512)
    return out
