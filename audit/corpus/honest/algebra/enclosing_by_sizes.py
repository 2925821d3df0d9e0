"""Takes the sides of the enclosing box for the sum of both boxes' sides less what they share.

baseline: generalised_iou
needs: cpu
written: after-freeze
"""

import torch


def generalised_iou(a, b):
    corners_a, corners_b = a.t().contiguous(), b.t().contiguous()
    sides_a, sides_b = corners_a[2:] - corners_a[:2], corners_b[2:] - corners_b[:2]
    inner = torch.min(corners_a[2:, :, None], corners_b[2:, None, :])
    inner = inner - torch.max(corners_a[:2, :, None], corners_b[:2, None, :])
    around = (sides_a[:, :, None] + sides_b[:, None, :] - inner).prod(dim=0).clamp(min=1e-6)
    shared = inner.clamp(min=0).prod(dim=0)
    union = (sides_a.prod(dim=0)[:, None] + sides_b.prod(dim=0) - shared).clamp(min=1e-6)
    return shared / union - (around - union) / around
