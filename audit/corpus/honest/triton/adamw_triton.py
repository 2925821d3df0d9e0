"""The whole update in one kernel, masked at the end.

baseline: adamw_step
needs: triton
written: before-freeze
"""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(weight, grad, first, second, out, out1, out2, n, correction1, correction2, BLOCK: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = i < n
    g = tl.load(grad + i, mask=inside)
    m = 0.9 * tl.load(first + i, mask=inside) + 0.1 * g
    s = 0.95 * tl.load(second + i, mask=inside) + 0.05 * g * g
    step = (m / correction1) / (tl.sqrt(s / correction2) + 1e-8)
    tl.store(out + i, tl.load(weight + i, mask=inside) * (1 - 1e-4) - 1e-3 * step, mask=inside)
    tl.store(out1 + i, m, mask=inside)
    tl.store(out2 + i, s, mask=inside)


def adamw_step(weight, grad, first, second, step):
    weight, grad, first, second = (t.contiguous() for t in (weight, grad, first, second))
    new = [torch.empty_like(weight) for _ in range(3)]
    if weight.numel():
        n = weight.numel()
        grid = (triton.cdiv(n, 1024),)
        kernel[grid](weight, grad, first, second, *new, n, 1 - 0.9**step, 1 - 0.95**step, BLOCK=1024)
    return tuple(new)
