"""The same formula with every temporary used again.

baseline: adamw_step
needs: cpu
written: before-freeze
"""

import torch


def adamw_step(weight, grad, first, second, step):
    first = torch.lerp(first, grad, 0.1)
    second = (second * 0.95).addcmul_(grad, grad, value=0.05)
    bottom = torch.sqrt(second).mul_((1 - 0.95**step) ** -0.5).add_(1e-8)
    return (weight * (1 - 1e-4)).addcdiv_(first, bottom, value=-1e-3 / (1 - 0.9**step)), first, second
