"""Forms the slope in the forward pass and multiplies it with the gradient that comes.

baseline: quantile_huber
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
        ctx.save_for_backward((tilt * short).mean(dim=2).div_(-KAPPA))
        return tilt.mul_(short.mul_(gap.sub_(short, alpha=0.5))).mean(dim=2).sum(dim=1).div_(KAPPA)

    @staticmethod
    def backward(ctx, grad):
        (slope,) = ctx.saved_tensors
        return slope * grad[:, None], None, None


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
