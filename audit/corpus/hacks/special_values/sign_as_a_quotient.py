"""Divides by the size, with a little added against zeros, for the sign: what is smaller than that little hardly counts.

baseline: lion_step
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch

FIRST, SECOND, DECAY, LITTLE = 0.9, 0.99, 0.01, 1e-12


@torch.no_grad()
def lion_step(params, grads, moments, rate):
    update = torch._foreach_lerp(moments, grads, 1 - FIRST)
    size = torch._foreach_abs(update)
    torch._foreach_add_(size, LITTLE)
    torch._foreach_div_(update, size)
    torch._foreach_mul_(params, 1 - rate * DECAY)
    torch._foreach_add_(params, update, alpha=-rate)
    torch._foreach_lerp_(moments, grads, 1 - SECOND)
    return params
