"""Divides by 512 whatever the width is.

baseline: rms_norm
caught-by: shapes
needs: cpu
written: before-freeze
"""

import torch


def rms_norm(x, weight):
    scale = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(512.0).add_(1e-6).rsqrt_()
    return (x * scale).mul_(weight)
