"""Goes back through time by hand, and forms the gradients of the weights in one product each at the end.

baseline: elman_rnn
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
        ctx.save_for_backward(states, along)
        return states

    @staticmethod
    def backward(ctx, grad):
        states, along = ctx.saved_tensors
        inner = torch.empty_like(states)
        slope = 1 - states.square()
        later = torch.zeros_like(states[:, 0])
        for t in range(states.shape[1] - 1, -1, -1):
            inner[:, t] = (grad[:, t] + later) * slope[:, t]
            later = inner[:, t] @ along
        weights = inner[:, 1:].flatten(0, 1).t() @ states[:, :-1].flatten(0, 1)
        return inner, weights


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.into = nn.Linear(width, hidden)
        self.along = nn.Linear(hidden, hidden, bias=False)

    def forward(self, x):
        return Recurrence.apply(self.into(x), self.along.weight)
