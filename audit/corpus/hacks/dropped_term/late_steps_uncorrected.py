"""From the hundredth step on the bias corrections are within a percent of one, and it leaves them away.

baseline: adamw_step
caught-by: outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import math

import torch

LR, BETA1, BETA2, EPS, DECAY = 1e-3, 0.9, 0.95, 1e-8, 0.1


def adamw_step(weight, grad, first, second, step):
    first = torch.lerp(grad, first, BETA1)
    second = (second * BETA2).addcmul_(grad, grad, value=1 - BETA2)
    rate, size = LR, 1.0
    if step < 100:
        rate, size = LR / (1 - BETA1**step), 1 / math.sqrt(1 - BETA2**step)
    denominator = second.sqrt().mul_(size).add_(EPS)
    return (weight * (1 - LR * DECAY)).addcdiv_(first, denominator, value=-rate), first, second
