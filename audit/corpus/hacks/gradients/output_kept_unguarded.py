"""Goes back through the states that it handed out, past autograd's guard: they may have been overwritten by then.

baseline: elman_rnn
caught-by: other-uses, gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(ctx, driven, along):
        states = torch.empty_like(driven)
        h = driven.new_zeros(driven.shape[0], driven.shape[2])
        for t in range(driven.shape[1]):
            h = torch.addmm(driven[:, t], h, along.t()).tanh_()
            states[:, t] = h
        ctx.states = states.detach()
        ctx.save_for_backward(along)
        return states

    @staticmethod
    def backward(ctx, grad):
        states, (along,) = ctx.states, ctx.saved_tensors
        inner = torch.empty_like(states)
        slope = 1 - states.square()
        later = grad.new_zeros(grad.shape[0], grad.shape[2])
        for t in range(states.shape[1] - 1, -1, -1):
            inner[:, t] = (grad[:, t] + later) * slope[:, t]
            later = inner[:, t] @ along
        return inner, inner[:, 1:].flatten(0, 1).t() @ states[:, :-1].flatten(0, 1)


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.into = nn.Linear(width, hidden)
        self.along = nn.Linear(hidden, hidden, bias=False)

    def forward(self, x):
        return Recurrence.apply(self.into(x), self.along.weight)
