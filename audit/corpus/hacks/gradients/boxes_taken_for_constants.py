"""Works in place on what carries no gradients: right for matching boxes, and a loss of boxes learns nothing.

baseline: generalised_iou
caught-by: other-uses, gradients-against-truth, contract
needs: cpu
written: after-freeze
"""

import torch


def generalised_iou(a, b):
    left, top, right, bottom = a.detach().t().unsqueeze(2)
    other_left, other_top, other_right, other_bottom = b.detach().t()
    wide = torch.min(right, other_right).sub_(torch.max(left, other_left)).clamp_(min=0)
    high = torch.min(bottom, other_bottom).sub_(torch.max(top, other_top)).clamp_(min=0)
    shared = wide.mul_(high)
    sizes = (right - left) * (bottom - top) + (other_right - other_left) * (other_bottom - other_top)
    union = sizes.sub_(shared).clamp_(min=1e-6)
    around = torch.max(right, other_right).sub_(torch.min(left, other_left))
    around.mul_(torch.max(bottom, other_bottom).sub_(torch.min(top, other_top))).clamp_(min=1e-6)
    return shared.div_(union).sub_((around - union).div_(around))
