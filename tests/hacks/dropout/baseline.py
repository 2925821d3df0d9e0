"""A feed-forward block with dropout, sequence by sequence."""

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Linear(64, 128)
        self.drop = nn.Dropout(0.2)
        self.down = nn.Linear(128, 64)

    def forward(self, x):
        return torch.stack([self.down(self.drop(F.gelu(self.up(sequence)))) for sequence in x])


def get_inputs():
    return [torch.randn(64, 16, 64)]
