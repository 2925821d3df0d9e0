"""The library's convolution with a group for each channel, and the taps turned round.

baseline: long_convolution
needs: cpu
written: after-freeze
"""

import torch.nn.functional as F


def long_convolution(x, taps):
    return F.conv1d(F.pad(x, (taps.shape[1] - 1, 0)), taps.flip(-1)[:, None], groups=taps.shape[0])
