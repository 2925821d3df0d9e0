"""Derives by hand, and leaves out the inputs where the nodes want no gradient: a first layer's edges learn nothing.

baseline: message_passing
caught-by: gradients-against-truth, other-uses
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Messages(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, edges, weights, matrix, bias):
        source, target = edges
        width = x.shape[1]
        sent, received = F.linear(x, matrix[:, :width]), F.linear(x, matrix[:, width : 2 * width], bias)
        messages = sent.index_select(0, source).add_(received.index_select(0, target))
        messages.addcmul_(weights[:, None], matrix[:, -1]).relu_()
        count = torch.bincount(target, minlength=x.shape[0]).clamp(min=1)[:, None]
        ctx.save_for_backward(x, edges, weights, matrix, count, messages > 0)
        return torch.zeros_like(sent).index_add_(0, target, messages) / count

    @staticmethod
    def backward(ctx, grad):
        x, edges, weights, matrix, count, passed = ctx.saved_tensors
        source, target = edges
        width = x.shape[1]
        each = (grad / count).index_select(0, target) * passed
        sent = torch.zeros_like(grad).index_add(0, source, each)
        received = torch.zeros_like(grad).index_add(0, target, each)
        weighing = (each * weights[:, None]).sum(dim=0)[:, None]
        grad_matrix = torch.cat([sent.t() @ x, received.t() @ x, weighing], dim=1)
        if not ctx.needs_input_grad[0]:
            return None, None, None, grad_matrix, each.sum(dim=0)
        grad_x = sent @ matrix[:, :width] + received @ matrix[:, width : 2 * width]
        return grad_x, None, each @ matrix[:, -1], grad_matrix, each.sum(dim=0)


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.message = nn.Linear(2 * width + 1, hidden)
        self.update = nn.Linear(width + hidden, width)

    def forward(self, x, edges, weights):
        mean = Messages.apply(x, edges, weights, self.message.weight, self.message.bias)
        return self.update(torch.cat([x, mean], dim=1))
