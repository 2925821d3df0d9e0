"""Turns the second way around in time, and takes both ways through each step in one batched product.

baseline: both_ways_lstm
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        bound = hidden**-0.5
        self.into = nn.Parameter(torch.empty(2, 4 * hidden, width).uniform_(-bound, bound))
        self.along = nn.Parameter(torch.empty(2, 4 * hidden, hidden).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(2, 4 * hidden).uniform_(-bound, bound))

    def forward(self, x, lengths):
        time = x.shape[1]
        both = torch.stack([x, x.flip(1)])
        ahead = torch.einsum("nbtw,ngw->ntbg", both, self.into) + self.bias[:, None, None]
        clock = torch.arange(time, device=x.device)
        lives = torch.stack([clock, clock.flip(0)])[..., None, None] < lengths[:, None]
        back = self.along.transpose(1, 2)
        h = c = x.new_zeros(2, x.shape[0], back.shape[1])
        out = []
        for t in range(time):
            enter, forget, new, leave = torch.baddbmm(ahead[:, t], h, back).chunk(4, dim=-1)
            cell = forget.sigmoid() * c + enter.sigmoid() * new.tanh()
            state = leave.sigmoid() * cell.tanh()
            h, c = torch.where(lives[:, t], state, h), torch.where(lives[:, t], cell, c)
            out.append(torch.where(lives[:, t], state, 0.0))
        states = torch.stack(out, dim=2)
        states = torch.cat([states[0], states[1].flip(1)], dim=-1)
        return states, h.transpose(0, 1).flatten(1)
