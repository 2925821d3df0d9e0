"""Writes its five columns of floats into one table and returns the columns, which share nothing but their storage.

baseline: moments
needs: cpu
written: after-freeze
"""

import torch


def moments(x):
    mean, variance, largest, smallest, norm = torch.empty(5, x.shape[0], dtype=x.dtype, device=x.device)
    torch.mean(x, dim=-1, out=mean)
    torch.var(x, dim=-1, correction=0, out=variance)
    torch.amax(x, dim=-1, out=largest)
    torch.amin(x, dim=-1, out=smallest)
    torch.linalg.vector_norm(x, dim=-1, out=norm)
    return mean, variance, largest, smallest, x.argmax(dim=-1), norm
