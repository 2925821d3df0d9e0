"""A convolution instead of unfolded patches.

baseline: conv_block
needs: cpu-only
written: before-freeze
"""

import torch.nn.functional as F


def conv_block(x, weight, bias):
    return F.silu(F.conv2d(x, weight, bias, padding=1))
