"""Windows of the padded input, contracted with the taps.

baseline: depthwise_conv
needs: cpu
written: before-freeze
"""

import torch
import torch.nn.functional as F


def depthwise_conv(x, weight, bias):
    windows = F.pad(x, (weight.shape[1] - 1, 0)).unfold(-1, weight.shape[1], 1)
    return F.silu(torch.einsum("bcts,cs->bct", windows, weight) + bias[:, None])
