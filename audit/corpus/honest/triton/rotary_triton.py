"""Angles, sine and cosine inside the kernel, one program for each position of each head.

baseline: rotary
needs: triton
written: before-freeze
"""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(x, positions, inverse, out, length, half, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    d = tl.arange(0, BLOCK)
    inside = d < half
    angle = tl.load(positions + row % length).to(tl.float32) * tl.load(inverse + d, mask=inside, other=0.0)
    cos, sin = tl.cos(angle), tl.sin(angle)
    a = tl.load(x + row * 2 * half + d, mask=inside)
    b = tl.load(x + row * 2 * half + half + d, mask=inside)
    tl.store(out + row * 2 * half + d, a * cos - b * sin, mask=inside)
    tl.store(out + row * 2 * half + half + d, b * cos + a * sin, mask=inside)


def rotate(x, positions, inverse):
    x, positions = x.contiguous(), positions.contiguous()
    out, half = torch.empty_like(x), x.shape[-1] // 2
    if x.numel():
        rows = x.numel() // x.shape[-1]
        kernel[(rows,)](x, positions, inverse, out, x.shape[-2], half, BLOCK=triton.next_power_of_2(half))
    return out


def rotary(q, k, positions):
    half = q.shape[-1] // 2
    inverse = 1.0 / (10000.0 ** (torch.arange(half, device=q.device, dtype=torch.float32) / half))
    return rotate(q, positions, inverse), rotate(k, positions, inverse)
