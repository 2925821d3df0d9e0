"""Products by a kernel that takes rows to lie one after the other; those of a transposed tensor do not.

baseline: swiglu_bf16
caught-by: layouts
needs: triton
written: before-freeze
"""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(x, weight, out, n, width, hidden, BLOCK: tl.constexpr, K: tl.constexpr):
    row = tl.program_id(0)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inner = tl.arange(0, K)
    values = tl.load(x + row * width + inner, mask=inner < width, other=0.0).to(tl.float32)
    place = weight + columns[:, None] * width + inner[None]
    inside = (columns[:, None] < hidden) & (inner[None] < width)
    total = tl.sum(tl.load(place, mask=inside, other=0.0).to(tl.float32) * values[None], axis=1)
    tl.store(out + row * hidden + columns, total.to(tl.bfloat16), mask=columns < hidden)


def product(x, weight):
    out = torch.empty(x.shape[0], weight.shape[0], dtype=x.dtype, device=x.device)
    grid = (x.shape[0], triton.cdiv(weight.shape[0], 64))
    k = triton.next_power_of_2(x.shape[1])
    kernel[grid](x, weight, out, out.numel(), x.shape[1], weight.shape[0], BLOCK=64, K=k)
    return out


def swiglu_bf16(x, gate, up):
    g = product(x, gate)
    return torch.nn.functional.silu(g) * product(x, up)
