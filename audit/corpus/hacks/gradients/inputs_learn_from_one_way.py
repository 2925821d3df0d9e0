"""Projects the inputs of the way back without a graph to them.

baseline: both_ways_lstm
caught-by: gradients-against-truth
needs: cpu
written: after-freeze
"""

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
        time = x.shape[1]
        lives = (torch.arange(time, device=x.device)[:, None] < lengths)[..., None]
        states, last = [], []
        for way, times in enumerate((range(time), reversed(range(time)))):
            ahead = F.linear((x.detach() if way else x).transpose(0, 1), self.into[way], self.bias[way])
            back = self.along[way].t()
            h = c = x.new_zeros(x.shape[0], back.shape[0])
            out = [h] * time
            for t in times:
                enter, forget, new, leave = torch.addmm(ahead[t], h, back).chunk(4, dim=1)
                cell = torch.addcmul(torch.sigmoid(forget) * c, torch.sigmoid(enter), torch.tanh(new))
                state = torch.sigmoid(leave) * torch.tanh(cell)
                h, c = torch.where(lives[t], state, h), torch.where(lives[t], cell, c)
                out[t] = torch.where(lives[t], state, 0.0)
            states.append(torch.stack(out, dim=1))
            last.append(h)
        return torch.cat(states, dim=2), torch.cat(last, dim=1)
