"""Divides the norms of all tensors at once and leaves out the case of a zero parameter: what starts at zero stays there.

baseline: lamb_step
caught-by: value-laws, outputs-against-truth, input-mutation
needs: cpu
written: after-freeze
"""

import torch

RATE, DECAY, EPS = 1e-3, 0.01, 1e-6


@torch.no_grad()
def lamb_step(params, grads, means, squares, step):
    torch._foreach_mul_(means, 0.9)
    torch._foreach_add_(means, grads, alpha=0.1)
    torch._foreach_mul_(squares, 0.999)
    torch._foreach_addcmul_(squares, grads, grads, value=0.001)
    step = float(step)
    below = torch._foreach_div(squares, 1 - 0.999**step)
    torch._foreach_sqrt_(below)
    torch._foreach_add_(below, EPS)
    updates = torch._foreach_div(means, 1 - 0.9**step)
    torch._foreach_div_(updates, below)
    torch._foreach_add_(updates, params, alpha=DECAY)
    lengths = torch.stack(torch._foreach_norm(updates)).clamp(min=1e-12)
    ratios = torch.stack(torch._foreach_norm(params)) / lengths
    torch._foreach_mul_(updates, list(ratios.unbind()))
    torch._foreach_add_(params, updates, alpha=-RATE)
    return ratios
