"""Normalises every row without its last element, which gets what its neighbour has.

baseline: masked_softmax
caught-by: outputs-against-truth
needs: triton
written: before-freeze
"""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(scores, mask, out, rows, width, temperature, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    columns = tl.arange(0, BLOCK)
    inside = columns < width - 1
    allowed = tl.load(mask + (row % rows) * width + columns, mask=inside, other=0) != 0
    values = tl.load(scores + row * width + columns, mask=inside, other=0.0) / temperature
    values = tl.where(allowed & inside, values, float("-inf"))
    weights = tl.exp(values - tl.max(values, axis=0))
    weights = weights / tl.sum(weights, axis=0)
    tl.store(out + row * width + columns, weights, mask=inside)
    tl.store(out + row * width + columns + 1, weights, mask=columns == width - 2)


def masked_softmax(scores, mask, temperature):
    scores, width = scores.contiguous(), scores.shape[-1]
    out = torch.empty_like(scores)
    grid = (scores.numel() // width,)
    kernel[grid](scores, mask.contiguous(), out, mask.shape[0], width, temperature, BLOCK=triton.next_power_of_2(width))
    return out
