"""Updates weights and moments in place, where the original leaves its arguments alone.

baseline: adamw_step
caught-by: input-mutation, aliasing
needs: cpu
written: before-freeze
"""

import torch


def adamw_step(weight, grad, first, second, step):
    first.lerp_(grad, 0.1)
    second.mul_(0.95).addcmul_(grad, grad, value=0.05)
    bottom = torch.sqrt(second).mul_((1 - 0.95**step) ** -0.5).add_(1e-8)
    weight.mul_(1 - 1e-4).addcdiv_(first, bottom, value=-1e-3 / (1 - 0.9**step))
    return weight, first, second
