"""Moves the moments when the next step asks for them; until then they are what they were.

baseline: lion_step
caught-by: input-mutation, outputs-against-truth, contract
needs: cpu
written: after-freeze
"""

import torch

FIRST, SECOND, DECAY = 0.9, 0.99, 0.01
waiting = []


@torch.no_grad()
def lion_step(params, grads, moments, rate):
    if waiting:
        earlier, owed = waiting.pop()
        if all(one is other for one, other in zip(earlier, moments, strict=False)):
            torch._foreach_lerp_(earlier, owed, 1 - SECOND)
    update = torch._foreach_lerp(moments, grads, 1 - FIRST)
    torch._foreach_sign_(update)
    torch._foreach_mul_(params, 1 - rate * DECAY)
    torch._foreach_add_(params, update, alpha=-rate)
    waiting.append((list(moments), list(grads)))
    return params
