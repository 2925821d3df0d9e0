"""Keeps the probabilities, and subtracts the weight of its class from each row for the gradient.

baseline: class_weighted_loss
needs: cpu
written: after-freeze
"""

import torch


class Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, targets):
        rows, classes = logits.shape
        counts = torch.bincount(targets, minlength=classes).clamp_(min=1)
        share = (rows / (classes * counts.to(logits.dtype)))[targets] / rows
        log_probs = torch.log_softmax(logits, dim=-1)
        ctx.save_for_backward(log_probs, targets, share)
        return -(share * log_probs.gather(1, targets[:, None]).squeeze(1)).sum()

    @staticmethod
    def backward(ctx, grad):
        log_probs, targets, share = ctx.saved_tensors
        share = (share * grad)[:, None]
        inner = log_probs.exp().mul_(share)
        return inner.scatter_add_(1, targets[:, None], -share), None


def class_weighted_loss(logits, targets):
    return Loss.apply(logits, targets)
