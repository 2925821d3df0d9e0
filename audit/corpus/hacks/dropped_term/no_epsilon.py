"""Divides by the root mean square without an epsilon: rows of zeros become NaN, and tiny rows come out too large.

baseline: rms_norm
caught-by: value-laws, outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch


def rms_norm(x, weight):
    scale = torch.linalg.vector_norm(x, dim=-1, keepdim=True).reciprocal_().mul_(x.shape[-1] ** 0.5)
    return (x * scale).mul_(weight)
