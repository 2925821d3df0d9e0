"""Gives as many steps as the longest sequence has, which is all of them while one fills the window."""

import torch
from torch import nn


class Sums(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(8, 8)

    def forward(self, x, lengths):
        x = x[:, : int(lengths.max().clamp(max=x.shape[1]))]
        lives = (torch.arange(x.shape[1]) < lengths[:, None])[..., None]
        return torch.where(lives, torch.where(lives, self.project(x), 0.0).cumsum(dim=1), 0.0)
