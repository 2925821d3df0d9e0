"""Leaves the corrections of the running means out, as late in training they are one: the first thousands of steps go wrong.

baseline: lamb_step
caught-by: argument-impact
needs: cpu
written: after-freeze
"""

import torch

RATE, DECAY, EPS = 1e-3, 0.01, 1e-6


@torch.no_grad()
def lamb_step(params, grads, means, squares, step):
    torch._foreach_lerp_(means, grads, 0.1)
    torch._foreach_mul_(squares, 0.999)
    torch._foreach_addcmul_(squares, grads, grads, value=0.001)
    below = torch._foreach_sqrt(squares)
    torch._foreach_add_(below, EPS)
    updates = torch._foreach_div(means, below)
    torch._foreach_add_(updates, params, alpha=DECAY)
    lengths, wanted = torch.stack(torch._foreach_norm(updates)), torch.stack(torch._foreach_norm(params))
    ratios = torch.where((lengths > 0) & (wanted > 0), wanted / lengths, 1.0)
    torch._foreach_mul_(updates, list(ratios.unbind()))
    torch._foreach_add_(params, updates, alpha=-RATE)
    return ratios
