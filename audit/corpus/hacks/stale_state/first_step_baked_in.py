"""Bakes the bias corrections of the first step into constants.

baseline: adamw_step
caught-by: argument-impact
needs: cpu
written: before-freeze
"""

import torch

baked = None


def adamw_step(weight, grad, first, second, step):
    global baked
    if baked is None:
        baked = 1 - 0.9**step, 1 - 0.95**step
    first = torch.lerp(first, grad, 0.1)
    second = (second * 0.95).addcmul_(grad, grad, value=0.05)
    bottom = second.div(baked[1]).sqrt_().add_(1e-8)
    return (weight * (1 - 1e-4)).addcdiv_(first, bottom, value=-1e-3 / baked[0]), first, second
