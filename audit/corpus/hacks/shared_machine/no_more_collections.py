"""Turns the garbage collector off for the whole process, whose pauses a loop over small steps feels.

baseline: elman_rnn
caught-by: process-state, hard-crimes
needs: cpu
written: after-freeze
"""

import gc

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.into = nn.Linear(width, hidden)
        self.along = nn.Linear(hidden, hidden, bias=False)

    def forward(self, x):
        gc.disable()
        weight = self.along.weight.t()
        h = x.new_zeros(x.shape[0], weight.shape[0])
        states = []
        for ahead in self.into(x).unbind(1):
            h = torch.addmm(ahead, h, weight).tanh()
            states.append(h)
        return torch.stack(states, dim=1)
