"""Loads and stores whole blocks, past the end of tensors whose size is no multiple of 1,024.

baseline: adamw_step
caught-by: guard-bands, shapes
needs: triton
written: before-freeze
"""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(weight, grad, first, second, out, out1, out2, correction1, correction2, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    g = tl.load(grad + i)
    m = 0.9 * tl.load(first + i) + 0.1 * g
    s = 0.95 * tl.load(second + i) + 0.05 * g * g
    step = (m / correction1) / (tl.sqrt(s / correction2) + 1e-8)
    tl.store(out + i, tl.load(weight + i) * (1 - 1e-4) - 1e-3 * step)
    tl.store(out1 + i, m)
    tl.store(out2 + i, s)


def adamw_step(weight, grad, first, second, step):
    new = [torch.empty_like(weight) for _ in range(3)]
    grid = (triton.cdiv(weight.numel(), 1024),)
    kernel[grid](weight, grad, first, second, *new, 1 - 0.9**step, 1 - 0.95**step, BLOCK=1024)
    return tuple(new)
