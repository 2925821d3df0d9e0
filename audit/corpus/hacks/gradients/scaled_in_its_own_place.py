"""Keeps the gradient from the forward pass and scales it in place: a second backward pass through the same graph scales it twice.

baseline: quantile_huber
caught-by: gradients-against-truth, repeat-runs, other-uses
needs: cpu
written: after-freeze
"""

import torch

KAPPA = 1.0


class Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, predicted, target, levels):
        gap = target[:, None, :] - predicted[:, :, None]
        tilt = (levels[None, :, None] - (gap < 0).to(gap.dtype)).abs_()
        short = gap.clamp(-KAPPA, KAPPA)
        ctx.slope = (tilt * short).sum(dim=2).div_(-KAPPA * target.shape[1])
        return tilt.mul_(short.mul_(gap.sub_(short, alpha=0.5))).mean(dim=2).sum(dim=1).div_(KAPPA)

    @staticmethod
    def backward(ctx, grad):
        return ctx.slope.mul_(grad[:, None]), None, None


def plainly(predicted, target, levels):
    gap = target.detach()[:, None, :] - predicted[:, :, None]
    size = gap.abs()
    short = size.clamp(max=KAPPA)
    tilt = (levels[None, :, None] - (gap < 0).to(gap.dtype)).abs()
    return (tilt * (short * (size - 0.5 * short))).div(KAPPA).mean(dim=2).sum(dim=1)


def quantile_huber(predicted, target, levels):
    if levels.requires_grad or not predicted.requires_grad:
        return plainly(predicted, target, levels)
    return Loss.apply(predicted, target.detach(), levels)
