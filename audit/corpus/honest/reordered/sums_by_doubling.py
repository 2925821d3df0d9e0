"""Adds neighbours, then pairs, then fours, then eights.

baseline: rolling_mean
needs: cpu
written: after-freeze
"""

import torch.nn.functional as F


def rolling_mean(x):
    sums = F.pad(x, (15, 0))
    for step in (1, 2, 4, 8):
        sums = sums[:, step:] + sums[:, :-step]
    return sums / 16
