"""The sum of squares as a batched product of each row with itself.

baseline: rms_norm
needs: cpu
written: before-freeze
"""

import torch


def rms_norm(x, weight):
    rows = x.view(-1, 1, x.shape[-1])
    square = torch.bmm(rows, rows.transpose(1, 2)).view(*x.shape[:-1], 1)
    return x * torch.rsqrt(square / x.shape[-1] + 1e-6) * weight
