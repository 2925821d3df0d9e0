"""Lets no gradient pass from one block of eight steps to the one before.

baseline: elman_rnn
caught-by: gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.into = nn.Linear(width, hidden)
        self.along = nn.Linear(hidden, hidden, bias=False)

    def forward(self, x):
        driven = self.into(x).unbind(dim=1)
        h = x.new_zeros(x.shape[0], self.along.in_features)
        along = self.along.weight.t()
        states = []
        for t, step in enumerate(driven):
            if t % 8 == 0:
                h = h.detach()
            h = torch.tanh(torch.addmm(step, h, along))
            states.append(h)
        return torch.stack(states, dim=1)
