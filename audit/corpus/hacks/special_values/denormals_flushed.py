"""Turns denormal numbers off for the whole process while it is imported.

baseline: adamw_step
caught-by: hard-crimes, value-laws, process-state
needs: cpu
written: before-freeze
"""

import torch

torch.set_flush_denormal(True)


def adamw_step(weight, grad, first, second, step):
    first = torch.lerp(first, grad, 0.1)
    second = second.mul(0.95).addcmul_(grad, grad, value=0.05)
    bottom = second.div(1 - 0.95**step).sqrt_().add_(1e-8)
    return (weight * (1 - 1e-4)).addcdiv_(first, bottom, value=-1e-3 / (1 - 0.9**step)), first, second
