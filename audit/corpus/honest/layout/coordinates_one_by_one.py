"""Works on one coordinate at a time, the smaller side first, and returns a transposed view where that turned the boxes round.

baseline: generalised_iou
needs: cpu
written: after-freeze
"""

import torch


def pairs(a, b):
    left, top, right, bottom = a.t().unsqueeze(2)
    other_left, other_top, other_right, other_bottom = b.t()
    wide = (torch.min(right, other_right) - torch.max(left, other_left)).clamp(min=0)
    high = (torch.min(bottom, other_bottom) - torch.max(top, other_top)).clamp(min=0)
    shared = wide * high
    sizes = (right - left) * (bottom - top) + (other_right - other_left) * (other_bottom - other_top)
    union = (sizes - shared).clamp(min=1e-6)
    around = torch.max(right, other_right) - torch.min(left, other_left)
    around = (around * (torch.max(bottom, other_bottom) - torch.min(top, other_top))).clamp(min=1e-6)
    return shared / union - (around - union) / around


def generalised_iou(a, b):
    return pairs(b, a).t() if a.shape[0] > b.shape[0] else pairs(a, b)
