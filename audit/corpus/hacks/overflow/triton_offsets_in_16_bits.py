"""Keeps its offsets in 16 bits: from the 65,537th output on they wrap around.

baseline: pairwise_distance
caught-by: shapes
needs: triton
written: before-freeze
"""

import triton
import triton.language as tl


@triton.jit
def kernel(a, b, out, n, m, width, BLOCK: tl.constexpr, D: tl.constexpr):
    i = tl.program_id(0)
    j = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    d = tl.arange(0, D)
    left = tl.load(a + i * width + d, mask=d < width, other=0.0)
    right = tl.load(b + j[:, None] * width + d[None], mask=(j[:, None] < m) & (d[None] < width), other=0.0)
    difference = left[None] - right
    distance = tl.sqrt(tl.sum(difference * difference, axis=1))
    place = ((i * m + j).to(tl.uint16)).to(tl.int32)
    tl.store(out + place, distance, mask=j < m)


def pairwise_distance(a, b):
    a, b = a.contiguous(), b.contiguous()
    out = a.new_empty(a.shape[0], b.shape[0])
    grid = (a.shape[0], triton.cdiv(b.shape[0], 64))
    kernel[grid](a, b, out, a.shape[0], b.shape[0], a.shape[1], BLOCK=64, D=triton.next_power_of_2(a.shape[1]))
    return out
