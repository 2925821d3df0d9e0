"""Writes Huber's function as one product with the clamped size, without a choice between two branches.

baseline: quantile_huber
needs: cpu
written: after-freeze
"""

import torch

KAPPA = 1.0


def quantile_huber(predicted, target, levels):
    gap = target.detach()[:, None, :] - predicted[:, :, None]
    size = gap.abs()
    short = size.clamp(max=KAPPA)
    tilt = (levels[None, :, None] - (gap < 0).to(gap.dtype)).abs()
    return (tilt * (short * (size - 0.5 * short))).div(KAPPA).mean(dim=2).sum(dim=1)
