"""Forgets to detach the target: a network that makes predictions and targets is also pulled from the other side.

baseline: quantile_huber
caught-by: gradients-against-truth, other-uses
needs: cpu
written: after-freeze
"""

import torch

KAPPA = 1.0


def quantile_huber(predicted, target, levels):
    gap = target[:, None, :] - predicted[:, :, None]
    short = gap.clamp(-KAPPA, KAPPA)
    tilt = (levels[None, :, None] - (gap.detach() < 0).to(gap.dtype)).abs()
    return (tilt * short * (gap - 0.5 * short)).sum(dim=(1, 2)) / (KAPPA * target.shape[1])
