"""The mean of squares as a squared norm.

baseline: rms_norm
needs: cpu
written: before-freeze
"""

import torch


def rms_norm(x, weight):
    square = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_()
    return (x * square.div_(x.shape[-1]).add_(1e-6).rsqrt_()).mul_(weight)
