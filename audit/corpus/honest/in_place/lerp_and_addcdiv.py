"""Moves each moment by one fused operation in its place.

baseline: adam_step
needs: cpu
written: after-freeze
"""

import torch


@torch.no_grad()
def adam_step(weights, gradients, means, squares, rate):
    for weight, gradient, mean, square in zip(weights, gradients, means, squares, strict=True):
        mean.lerp_(gradient, 0.1)
        square.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
        weight.addcdiv_(mean, square.sqrt().add_(1e-8), value=-rate)
