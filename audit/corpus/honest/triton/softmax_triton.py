"""Mask, temperature and softmax of a row in one program.

baseline: masked_softmax
needs: triton
written: before-freeze
"""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(scores, mask, out, rows, width, temperature, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < width
    allowed = tl.load(mask + (row % rows) * width + columns, mask=inside, other=0) != 0
    values = tl.load(scores + row * width + columns, mask=inside, other=0.0) / temperature
    values = tl.where(allowed & inside, values, float("-inf"))
    weights = tl.exp(values - tl.max(values, axis=0))
    tl.store(out + row * width + columns, weights / tl.sum(weights, axis=0), mask=inside)


def masked_softmax(scores, mask, temperature):
    scores, width = scores.contiguous(), scores.shape[-1]
    out = torch.empty_like(scores)
    if scores.numel():
        mask = mask.expand(scores.shape[-2:]).contiguous()
        block = triton.next_power_of_2(width)
        kernel[(scores.numel() // width,)](scores, mask, out, mask.shape[0], width, temperature, BLOCK=block)
    return out
