"""A grouped convolution, padded on both sides and cut.

baseline: depthwise_conv
needs: cpu
written: before-freeze
"""

import torch.nn.functional as F


def depthwise_conv(x, weight, bias):
    out = F.conv1d(x, weight[:, None], bias, padding=weight.shape[1] - 1, groups=x.shape[1])
    return F.silu(out[..., : x.shape[-1]])
