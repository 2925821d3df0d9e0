"""Normalises in place, and returns what it wrote.

baseline: rms_norm
caught-by: input-mutation
needs: cpu
written: before-freeze
"""

import torch


def rms_norm(x, weight):
    scale = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1]).add_(1e-6).rsqrt_()
    return x.mul_(scale).mul_(weight)
