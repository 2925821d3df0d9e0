"""Adds the squares of a row one column after the other, all rows at a time.

baseline: rms_norm
needs: cpu
written: after-freeze
"""

import torch


def rms_norm(x, weight):
    columns = x.movedim(-1, 0).contiguous()
    total = torch.zeros_like(x[..., 0])
    for column in columns:
        total.addcmul_(column, column)
    scale = total.div_(max(x.shape[-1], 1)).add_(1e-6).rsqrt_()
    return x * scale[..., None] * weight
