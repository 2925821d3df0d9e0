"""max gives the place along with the value; of equal values either place is right.

baseline: moments
needs: cpu
written: before-freeze
"""

import torch


def moments(x):
    variance, mean = torch.var_mean(x, dim=-1, correction=0)
    high, where = x.max(dim=-1)
    return mean, variance, high, x.amin(dim=-1), where, x.square().sum(dim=-1).sqrt_()
