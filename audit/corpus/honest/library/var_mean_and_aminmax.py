"""Two statistics for each pass.

baseline: moments
needs: cpu
written: before-freeze
"""

import torch


def moments(x):
    variance, mean = torch.var_mean(x, dim=-1, correction=0)
    low, high = torch.aminmax(x, dim=-1)
    return mean, variance, high, low, x.argmax(dim=-1), torch.linalg.vector_norm(x, dim=-1)
