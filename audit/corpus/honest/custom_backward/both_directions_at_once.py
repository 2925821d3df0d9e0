"""Derives both directions of the loss while it computes them, and only scales what it has when gradients are asked for.

baseline: info_nce
needs: cpu
written: after-freeze
"""

import torch

TEMPERATURE = 5.0


class Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, b):
        logits = torch.mm(a, b.t()).div_(TEMPERATURE)
        pairs = min(logits.shape)
        rows = torch.log_softmax(logits[:pairs], dim=1)
        columns = torch.log_softmax(logits[:, :pairs], dim=0)
        loss = -0.5 * (torch.diagonal(rows).mean() + torch.diagonal(columns).mean())
        pull = torch.zeros_like(logits)
        pull[:pairs] += rows.exp_()
        pull[:, :pairs] += columns.exp_()
        pull.diagonal().sub_(2)
        ctx.save_for_backward(a, b, pull.div_(2 * pairs * TEMPERATURE))
        return loss

    @staticmethod
    def backward(ctx, grad):
        a, b, pull = ctx.saved_tensors
        return (pull @ b).mul_(grad), (pull.t() @ a).mul_(grad)


def info_nce(a, b):
    return Loss.apply(a, b)
