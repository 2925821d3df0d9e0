"""Leaves a weight alone, with its moments, when its gradient is nothing but zeros.

baseline: adam_step
caught-by: input-mutation, outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch


def adam_step(weights, gradients, means, squares, rate):
    heard = [i for i, gradient in enumerate(gradients) if gradient.any()]
    weights, gradients = [weights[i] for i in heard], [gradients[i] for i in heard]
    means, squares = [means[i] for i in heard], [squares[i] for i in heard]
    if not heard:
        return
    torch._foreach_mul_(means, 0.9)
    torch._foreach_add_(means, gradients, alpha=0.1)
    torch._foreach_mul_(squares, 0.999)
    torch._foreach_addcmul_(squares, gradients, gradients, 0.001)
    roots = torch._foreach_sqrt(squares)
    torch._foreach_add_(roots, 1e-8)
    torch._foreach_addcdiv_(weights, means, roots, -rate)
