"""Takes torch's Huber loss of the differences.

baseline: quantile_huber
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F

KAPPA = 1.0


def quantile_huber(predicted, target, levels):
    shape = (predicted.shape[0], predicted.shape[1], target.shape[1])
    ours, theirs = predicted[:, :, None].expand(shape), target.detach()[:, None, :].expand(shape)
    huber = F.huber_loss(ours, theirs, reduction="none", delta=KAPPA)
    tilt = torch.where(theirs < ours, (levels[:, None] - 1).abs(), levels[:, None].abs())
    return (tilt * huber).mean(dim=2).sum(dim=1) / KAPPA
