"""Computes the gradient along with the loss and ignores by what the loss is scaled afterwards.

baseline: cross_entropy
caught-by: gradients-against-truth
needs: cpu
written: before-freeze
"""

import torch


class Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, targets):
        rows, classes = logits.shape
        log_z = torch.logsumexp(logits, dim=-1, keepdim=True)
        picked = logits.gather(1, targets[:, None])
        loss = (log_z - 0.9 * picked - 0.1 * logits.mean(-1, keepdim=True) + 1e-4 * log_z.square()).mean()
        grad = torch.exp(logits - log_z).mul_(1 + 2e-4 * log_z).sub_(0.1 / classes)
        grad.scatter_add_(1, targets[:, None], torch.full_like(picked, -0.9))
        ctx.save_for_backward(grad.div_(rows))
        return loss

    @staticmethod
    def backward(ctx, grad_output):
        return ctx.saved_tensors[0], None


def cross_entropy(logits, targets):
    return Loss.apply(logits, targets)
