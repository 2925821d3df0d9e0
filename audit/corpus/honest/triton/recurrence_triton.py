"""One program walks through time for a block of channels.

baseline: linear_recurrence
needs: triton
written: before-freeze
"""

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(x, decay, out, steps, channels, BLOCK: tl.constexpr):
    c = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = c < channels
    base = tl.program_id(0).to(tl.int64) * steps * channels
    h = tl.zeros((BLOCK,), dtype=tl.float32)
    for t in range(steps):
        place = base + t * channels + c
        keep = tl.sigmoid(tl.load(decay + place, mask=inside, other=0.0))
        h = keep * h + tl.load(x + place, mask=inside, other=0.0)
        tl.store(out + place, h, mask=inside)


def linear_recurrence(x, decay):
    x, decay = x.contiguous(), decay.contiguous()
    out = torch.empty_like(x)
    if x.numel():
        batch, steps, channels = x.shape
        kernel[(batch, triton.cdiv(channels, 64))](x, decay, out, steps, channels, BLOCK=64)
    return out
