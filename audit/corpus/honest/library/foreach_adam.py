"""Updates all weights in a few calls, each for all of them.

baseline: adam_step
needs: cpu
written: before-freeze
"""

import torch


def adam_step(weights, gradients, means, squares, rate):
    torch._foreach_mul_(means, 0.9)
    torch._foreach_add_(means, gradients, alpha=0.1)
    torch._foreach_mul_(squares, 0.999)
    torch._foreach_addcmul_(squares, gradients, gradients, 0.001)
    sizes = torch._foreach_sqrt(squares)
    torch._foreach_add_(sizes, 1e-8)
    torch._foreach_addcdiv_(weights, means, sizes, -rate)
