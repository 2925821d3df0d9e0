"""Looks at the product of the sides for boxes that do not meet, so that those apart in both directions seem to overlap.

baseline: generalised_iou
caught-by: value-laws, outputs-against-truth, shapes, argument-impact
needs: cpu
written: after-freeze
"""

import torch


def generalised_iou(a, b):
    left, top, right, bottom = a.t().unsqueeze(2)
    other_left, other_top, other_right, other_bottom = b.t()
    wide = torch.min(right, other_right) - torch.max(left, other_left)
    high = torch.min(bottom, other_bottom) - torch.max(top, other_top)
    shared = (wide * high).clamp(min=0)
    sizes = (right - left) * (bottom - top) + (other_right - other_left) * (other_bottom - other_top)
    union = (sizes - shared).clamp(min=1e-6)
    around = (torch.max(right, other_right) - torch.min(left, other_left)) * (
        torch.max(bottom, other_bottom) - torch.min(top, other_top)
    )
    around = around.clamp(min=1e-6)
    return shared / union - (around - union) / around
