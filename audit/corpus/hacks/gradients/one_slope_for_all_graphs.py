"""Writes the gradient to one buffer for each shape in the forward pass: of two graphs that wait, the first finds the second's.

baseline: quantile_huber
caught-by: gradients-against-truth, repeat-runs, held-results, other-uses, stale-results
needs: cpu
written: after-freeze
"""

import torch

KAPPA = 1.0
slopes = {}


class Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, predicted, target, levels):
        gap = target[:, None, :] - predicted[:, :, None]
        tilt = (levels[None, :, None] - (gap < 0).to(gap.dtype)).abs_()
        short = gap.clamp(-KAPPA, KAPPA)
        key = (predicted.shape, predicted.dtype, predicted.device)
        if key not in slopes:
            slopes[key] = torch.empty_like(predicted)
        torch.sum(tilt * short, dim=2, out=slopes[key])
        ctx.slope, ctx.scale = slopes[key], -1 / (KAPPA * target.shape[1])
        return tilt.mul_(short.mul_(gap.sub_(short, alpha=0.5))).mean(dim=2).sum(dim=1).div_(KAPPA)

    @staticmethod
    def backward(ctx, grad):
        return ctx.slope * (grad * ctx.scale)[:, None], None, None


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
