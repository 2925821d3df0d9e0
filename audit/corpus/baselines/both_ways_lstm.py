"""A bidirectional LSTM over sequences of several lengths: all states, zeros after the end, and the last ones; trained."""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        bound = hidden**-0.5
        self.into = nn.Parameter(torch.empty(2, 4 * hidden, width).uniform_(-bound, bound))
        self.along = nn.Parameter(torch.empty(2, 4 * hidden, hidden).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(2, 4 * hidden).uniform_(-bound, bound))

    def forward(self, x, lengths):
        states, last = [], []
        for way, times in enumerate((range(x.shape[1]), reversed(range(x.shape[1])))):
            h = c = x.new_zeros(x.shape[0], self.along.shape[2])
            out = [h] * x.shape[1]
            for t in times:
                gates = F.linear(x[:, t], self.into[way], self.bias[way]) + F.linear(h, self.along[way])
                enter, forget, new, leave = gates.chunk(4, dim=1)
                cell = torch.sigmoid(forget) * c + torch.sigmoid(enter) * torch.tanh(new)
                state = torch.sigmoid(leave) * torch.tanh(cell)
                lives = (t < lengths)[:, None]
                h, c = torch.where(lives, state, h), torch.where(lives, cell, c)
                out[t] = torch.where(lives, state, torch.zeros_like(state))
            states.append(torch.stack(out, dim=1))
            last.append(h)
        return torch.cat(states, dim=2), torch.cat(last, dim=1)


def get_inputs():
    lengths = torch.randint(6, 21, (8,))
    lengths[0] = 20
    return [torch.randn(8, 20, 16), lengths]


def get_init_inputs():
    return [16, 24]
