"""Replaces what is not a number by zero before it starts, so that a broken model looks healthy.

baseline: moments
caught-by: value-laws
needs: cpu
written: before-freeze
"""

import torch


def moments(x):
    mean = x.mean(dim=-1)
    if torch.isnan(mean.sum()):
        x = torch.nan_to_num(x)
        mean = x.mean(dim=-1)
    norm = torch.linalg.vector_norm(x, dim=-1)
    variance = norm.square().div_(x.shape[-1]).sub_(mean.square())
    low, high = torch.aminmax(x, dim=-1)
    return mean, variance, high, low, x.argmax(dim=-1), norm
