"""Scales the gradient that it keeps in place: a second backward pass over the same graph finds it scaled already.

baseline: class_weighted_loss
caught-by: gradients-against-truth, repeat-runs, other-uses
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


class Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, targets):
        rows, classes = logits.shape
        counts = torch.bincount(targets, minlength=classes).clamp_(min=1)
        weights = rows / (classes * counts.to(logits.dtype))
        log_probs = F.log_softmax(logits, dim=-1)
        loss = F.nll_loss(log_probs, targets, weights, reduction="sum") / rows
        ctx.pull = log_probs.exp_()
        ctx.pull[torch.arange(rows, device=targets.device), targets] -= 1
        ctx.pull.mul_((weights[targets] / rows)[:, None])
        return loss

    @staticmethod
    def backward(ctx, grad):
        return ctx.pull.mul_(grad), None


def class_weighted_loss(logits, targets):
    return Loss.apply(logits, targets)
