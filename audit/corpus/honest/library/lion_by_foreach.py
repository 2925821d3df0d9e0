"""One call for all parameters, and averages by lerp.

baseline: lion_step
needs: cpu
written: after-freeze
"""

import torch

FIRST, SECOND, DECAY = 0.9, 0.99, 0.01


@torch.no_grad()
def lion_step(params, grads, moments, rate):
    update = torch._foreach_lerp(moments, grads, 1 - FIRST)
    torch._foreach_sign_(update)
    torch._foreach_mul_(params, 1 - rate * DECAY)
    torch._foreach_add_(params, update, alpha=-rate)
    torch._foreach_lerp_(moments, grads, 1 - SECOND)
    return params
