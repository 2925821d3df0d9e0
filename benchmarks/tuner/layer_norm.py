from __future__ import annotations

import torch
import triton
import triton.language as tl


@triton.jit
def norm_rows(x, weight, bias, out, columns, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64) * columns
    offsets = tl.arange(0, BLOCK)
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, columns, BLOCK):
        at = start + offsets
        total += tl.load(x + row + at, mask=at < columns, other=0.0).to(tl.float32)
    mean = tl.sum(total, 0) / columns
    squares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, columns, BLOCK):
        at = start + offsets
        values = tl.load(x + row + at, mask=at < columns, other=0.0).to(tl.float32)
        away = tl.where(at < columns, values - mean, 0.0)
        squares += away * away
    scale = 1.0 / tl.sqrt(tl.sum(squares, 0) / columns + eps)
    for start in range(0, columns, BLOCK):
        at = start + offsets
        values = tl.load(x + row + at, mask=at < columns, other=0.0).to(tl.float32)
        w = tl.load(weight + at, mask=at < columns, other=0.0).to(tl.float32)
        b = tl.load(bias + at, mask=at < columns, other=0.0).to(tl.float32)
        normed = (values - mean) * scale * w + b
        tl.store(out + row + at, normed.to(out.dtype.element_ty), mask=at < columns)


def layer_norm(x, weight, bias):
    x = x.contiguous()
    out = torch.empty_like(x)
    block = 64
    norm_rows[(x.shape[0],)](x, weight, bias, out, x.shape[1], 1e-5, BLOCK=block, num_warps=1, num_stages=1)
    return out


def get_inputs():
    return [torch.randn(8192, 2048), torch.randn(2048), torch.randn(2048)]
