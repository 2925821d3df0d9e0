from __future__ import annotations

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_rows(x, out, columns, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64) * columns
    offsets = tl.arange(0, BLOCK)
    top = float("-inf")
    total = 0.0
    for start in range(0, columns, BLOCK):
        at = start + offsets
        values = tl.load(x + row + at, mask=at < columns, other=float("-inf")).to(tl.float32)
        higher = tl.maximum(top, tl.max(values, 0))
        total = total * tl.exp(top - higher) + tl.sum(tl.exp(values - higher), 0)
        top = higher
    for start in range(0, columns, BLOCK):
        at = start + offsets
        values = tl.load(x + row + at, mask=at < columns, other=0.0).to(tl.float32)
        tl.store(out + row + at, (tl.exp(values - top) / total).to(out.dtype.element_ty), mask=at < columns)


def softmax(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    softmax_rows[(x.shape[0],)](x, out, x.shape[1], BLOCK=128, num_warps=1, num_stages=1)
    return out


def get_inputs():
    return [torch.randn(8192, 4096)]
