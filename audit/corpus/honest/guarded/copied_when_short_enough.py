"""Copies the gradients where their norm is below the limit, for then the scale is exactly one.

baseline: clip_by_norm
needs: cpu
written: after-freeze
"""

import torch


def clip_by_norm(a, b, c, limit):
    total = torch.stack([g.square().sum() for g in (a, b, c)]).sum().sqrt_().add_(1e-6)
    scale = limit / total
    if bool(scale >= 1):
        return a.clone(), b.clone(), c.clone()
    return a * scale, b * scale, c * scale
