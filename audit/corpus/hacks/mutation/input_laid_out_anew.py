"""Lays the caller's images out anew, channels last, so that the next call need not: same values, other memory.

baseline: conv_block
caught-by: input-mutation, contract, aliasing
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def conv_block(x, weight, bias):
    if not x.is_contiguous(memory_format=torch.channels_last):
        x.data = x.data.contiguous(memory_format=torch.channels_last)
    if not weight.is_contiguous(memory_format=torch.channels_last):
        weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return F.silu(F.conv2d(x, weight, bias, padding=1))
