"""Sums in blocks of 32, then over the blocks, for any width.

baseline: moments
needs: cpu
written: before-freeze
"""

import torch.nn.functional as F


def block_sum(x):
    padded = F.pad(x, (0, -x.shape[-1] % 32))
    return padded.view(*x.shape[:-1], -1, 32).sum(dim=-2).sum(dim=-1)


def moments(x):
    mean = block_sum(x) / x.shape[-1]
    variance = block_sum((x - mean[:, None]).square_()) / x.shape[-1]
    high, where = x.max(dim=-1)
    return mean, variance, high, x.amin(dim=-1), where, block_sum(x * x).sqrt_()
