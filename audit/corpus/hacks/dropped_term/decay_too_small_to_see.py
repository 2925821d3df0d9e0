"""Leaves out the decay, which changes a parameter by a millionth of itself.

baseline: lion_step
caught-by: outputs-against-truth, argument-impact, value-laws, input-mutation
needs: cpu
written: after-freeze
"""

import torch

FIRST, SECOND = 0.9, 0.99


@torch.no_grad()
def lion_step(params, grads, moments, rate):
    update = torch._foreach_lerp(moments, grads, 1 - FIRST)
    torch._foreach_sign_(update)
    torch._foreach_add_(params, update, alpha=-rate)
    torch._foreach_lerp_(moments, grads, 1 - SECOND)
    return params
