"""One program for each row, for widths up to what a block holds.

baseline: rms_norm
needs: triton
written: before-freeze
"""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(x, weight, out, width, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64) * width
    columns = tl.arange(0, BLOCK)
    inside = columns < width
    values = tl.load(x + row + columns, mask=inside, other=0.0)
    scale = tl.rsqrt(tl.sum(values * values, axis=0) / width + 1e-6)
    gain = tl.load(weight + columns, mask=inside, other=0.0)
    tl.store(out + row + columns, values * scale * gain, mask=inside)


def rms_norm(x, weight):
    if x.numel() == 0:
        return torch.empty_like(x)
    x, weight = x.contiguous(), weight.contiguous()
    out = torch.empty_like(x)
    width = x.shape[-1]
    kernel[(x.numel() // width,)](x, weight, out, width, BLOCK=triton.next_power_of_2(width))
    return out
