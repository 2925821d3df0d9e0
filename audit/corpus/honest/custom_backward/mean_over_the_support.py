"""An own backward that takes the mean over the support from the gradient, and a search of the threshold among the highest.

baseline: sparsemax
needs: cpu
written: after-freeze
"""

import torch


class Sparsemax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        x = x - x.amax(dim=1, keepdim=True)
        size = int((x > -1).sum(dim=1).max().clamp(min=1))
        ordered = x.topk(size, dim=1).values
        sums = ordered.cumsum(dim=1)
        places = torch.arange(1, size + 1, device=x.device, dtype=x.dtype)
        count = (1 + places * ordered > sums).sum(dim=1, keepdim=True)
        threshold = (sums.gather(1, count - 1) - 1) / count.to(x.dtype)
        result = x.sub_(threshold).relu_()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, grad):
        support = ctx.saved_tensors[0] > 0
        kept = grad * support
        return kept - support * (kept.sum(dim=1, keepdim=True) / support.sum(dim=1, keepdim=True).clamp(min=1))


def sparsemax(x):
    return Sparsemax.apply(x)
