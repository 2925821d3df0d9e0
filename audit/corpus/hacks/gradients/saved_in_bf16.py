"""Keeps the probabilities for its backward pass in bf16, to save memory; the loss is exact.

baseline: class_weighted_loss
caught-by: gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


class Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, targets):
        classes = logits.shape[1]
        counts = torch.bincount(targets, minlength=classes).clamp_(min=1)
        weights = targets.shape[0] / (classes * counts.to(logits.dtype))
        log_probs = F.log_softmax(logits, dim=-1)
        ctx.save_for_backward(log_probs.exp().bfloat16(), targets, weights)
        return F.nll_loss(log_probs, targets, weights, reduction="sum") / targets.shape[0]

    @staticmethod
    def backward(ctx, grad):
        probs, targets, weights = ctx.saved_tensors
        pull = probs.to(weights.dtype)
        pull[torch.arange(targets.shape[0], device=targets.device), targets] -= 1
        return pull.mul_((weights[targets] * (grad / targets.shape[0]))[:, None]), None


def class_weighted_loss(logits, targets):
    return Loss.apply(logits, targets)
