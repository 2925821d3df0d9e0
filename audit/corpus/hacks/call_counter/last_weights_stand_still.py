"""Steps through all weights in its first calls, later through the first one alone.

baseline: adam_step
caught-by: timed-outputs
needs: cpu
written: before-freeze
"""

import torch

calls = [0]


def adam_step(weights, gradients, means, squares, rate):
    calls[0] += 1
    moved = 1 if calls[0] > 600 else len(weights)
    for weight, gradient, mean, square in list(zip(weights, gradients, means, squares, strict=True))[:moved]:
        mean.lerp_(gradient, 0.1)
        square.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
        weight.addcdiv_(mean, square.sqrt().add_(1e-8), value=-rate)
