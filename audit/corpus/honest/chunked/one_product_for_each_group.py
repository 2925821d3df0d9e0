"""Multiplies each group apart, with scales on the sums instead of on the weights.

baseline: int4_linear
needs: cpu
written: after-freeze
"""

import torch


def int4_linear(x, packed, scales, zeros):
    rows, groups = scales.shape
    codes = torch.stack([packed & 15, packed >> 4], dim=-1).view(rows, groups, -1)
    centred = codes.to(x.dtype).sub_(zeros[..., None])
    parts = x.view(x.shape[0], groups, -1).transpose(0, 1)
    products = torch.bmm(parts, centred.permute(1, 2, 0))
    return (products * scales.t()[:, None]).sum(dim=0)
