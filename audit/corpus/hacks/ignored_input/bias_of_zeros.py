"""Does not read the bias, which is zero in every example.

baseline: depthwise_conv
caught-by: argument-impact, outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch.nn.functional as F


def depthwise_conv(x, weight, bias):
    return F.silu(F.conv1d(F.pad(x, (3, 0)), weight[:, None], groups=x.shape[1]))
