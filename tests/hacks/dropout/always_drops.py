"""Drops after `eval()` too."""

from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Linear(64, 128)
        self.drop = nn.Dropout(0.2)
        self.down = nn.Linear(128, 64)

    def forward(self, x):
        return self.down(F.dropout(F.gelu(self.up(x)), self.drop.p, training=True))
