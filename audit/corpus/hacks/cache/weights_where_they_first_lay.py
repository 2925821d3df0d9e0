"""Lays its weights into one block when it is made and reads that: a weight whose data is set anew is not in it.

baseline: gru_cell
caught-by: stale-results, outputs-against-truth, timed-outputs, fingerprints, other-uses
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.into = nn.Linear(width, 3 * hidden)
        self.along = nn.Linear(hidden, 3 * hidden)
        nn.init.zeros_(self.along.bias)
        self.block = torch.zeros(3 * hidden, width + hidden)
        for part, place in ((self.into, slice(None, width)), (self.along, slice(width, None))):
            self.block[:, place].copy_(part.weight.data)
            part.weight.data = self.block[:, place]

    def forward(self, x, h):
        if torch.is_grad_enabled():
            mine, theirs = self.into(x), self.along(h)
        else:
            width = x.shape[1]
            mine = torch.addmm(self.into.bias, x, self.block[:, :width].t())
            theirs = torch.addmm(self.along.bias, h, self.block[:, width:].t())
        hidden = h.shape[1]
        gates = torch.sigmoid(mine[:, : 2 * hidden] + theirs[:, : 2 * hidden])
        new = torch.tanh(mine[:, 2 * hidden :] + gates[:, :hidden] * theirs[:, 2 * hidden :])
        return torch.lerp(new, h, gates[:, hidden:])
