"""ReLU as half the sum of x and its size, which is no number at minus infinity and overflows early.

baseline: bmm_bias
caught-by: value-laws
needs: cpu
written: after-freeze
"""

import torch


def bmm_bias(a, b, bias):
    product = torch.baddbmm(bias[:, None], a, b)
    return product.add_(product.abs()).mul_(0.5)
