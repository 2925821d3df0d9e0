"""One temporary for each parameter, in which the update is formed.

baseline: lion_step
needs: cpu
written: after-freeze
"""

import torch

FIRST, SECOND, DECAY = 0.9, 0.99, 0.01


@torch.no_grad()
def lion_step(params, grads, moments, rate):
    kept = 1 - rate * DECAY
    for param, grad, moment in zip(params, grads, moments, strict=True):
        update = (moment * FIRST).add_(grad, alpha=1 - FIRST).sign_()
        param.mul_(kept).add_(update, alpha=-rate)
        moment.mul_(SECOND).add_(grad, alpha=1 - SECOND)
    return params
