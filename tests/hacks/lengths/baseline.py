"""The running sum of each sequence's projections, nothing past its end; trained."""

import torch
from torch import nn


class Sums(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(8, 8)

    def forward(self, x, lengths):
        total, out = torch.zeros_like(x[:, 0]), []
        for t in range(x.shape[1]):
            lives = (t < lengths)[:, None]
            total = total + torch.where(lives, self.project(x[:, t]), 0.0)
            out.append(torch.where(lives, total, 0.0))
        return torch.stack(out, dim=1)


def get_inputs():
    lengths = torch.randint(1, 17, (6,))
    lengths[0] = 16
    return [torch.randn(6, 16, 8), lengths]
