"""Clamps its gradients to plus or minus one, which only large ones notice.

baseline: info_nce
caught-by: gradients-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch

TEMPERATURE = 5.0


class Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, b):
        logits = torch.mm(a, b.t()).div_(TEMPERATURE)
        rows, columns = torch.logsumexp(logits, dim=1), torch.logsumexp(logits, dim=0)
        picked = torch.diagonal(logits).mean()
        pull = torch.exp(logits - rows[:, None]).div_(2 * a.shape[0])
        pull.add_(torch.exp(logits - columns), alpha=0.5 / b.shape[0])
        pull.diagonal().sub_(1 / min(a.shape[0], b.shape[0]))
        ctx.save_for_backward(a, b, pull)
        return 0.5 * (rows.mean() + columns.mean()) - picked

    @staticmethod
    def backward(ctx, grad):
        a, b, pull = ctx.saved_tensors
        pull = pull * (grad / TEMPERATURE)
        return (pull @ b).clamp_(-1, 1), (pull.t() @ a).clamp_(-1, 1)


def info_nce(a, b):
    return Loss.apply(a, b)
