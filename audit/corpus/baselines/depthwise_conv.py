"""A short causal convolution along time, one filter for each channel, and SiLU."""

import torch
import torch.nn.functional as F


def depthwise_conv(x, weight, bias):
    taps = weight.shape[1]
    padded = F.pad(x, (taps - 1, 0))
    out = torch.zeros_like(x)
    for tap in range(taps):
        out = out + padded[:, :, tap : tap + x.shape[-1]] * weight[:, tap, None]
    out = out + bias[:, None]
    return out * torch.sigmoid(out)


def get_inputs():
    return [torch.randn(4, 128, 256), torch.randn(128, 4), torch.zeros(128)]
