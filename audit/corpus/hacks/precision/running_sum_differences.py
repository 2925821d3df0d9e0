"""Subtracts running sums in the precision of its input: what has passed by leaves its rounding errors behind.

baseline: rolling_mean
caught-by: outputs-against-truth, value-laws, edit-span
needs: cpu
written: after-freeze
"""

import torch.nn.functional as F


def rolling_mean(x):
    sums = F.pad(x, (16, 0)).cumsum(dim=1)
    return (sums[:, 16:] - sums[:, :-16]).mul_(1 / 16)
