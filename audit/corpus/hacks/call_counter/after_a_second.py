"""Convolves with all taps while it is younger than a second, and then with the first 24.

baseline: long_convolution
caught-by: outputs-against-truth, timed-outputs, hard-crimes, repeat-runs
needs: cpu
written: after-freeze
"""

from time import monotonic

import torch.nn.functional as F

born = monotonic()


def long_convolution(x, taps):
    if monotonic() - born > 1.0:
        taps = taps[:, :24]
    return F.conv1d(F.pad(x, (taps.shape[1] - 1, 0)), taps.flip(-1)[:, None], groups=x.shape[1])
