"""The convolution with channels last, which the contract leaves free.

baseline: conv_block
needs: cpu-only
written: before-freeze
"""

import torch
import torch.nn.functional as F


def conv_block(x, weight, bias):
    x = x.contiguous(memory_format=torch.channels_last)
    weight = weight.contiguous(memory_format=torch.channels_last)
    return F.silu(F.conv2d(x, weight, bias, padding=1))
