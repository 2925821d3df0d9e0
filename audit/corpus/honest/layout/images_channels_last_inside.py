"""Turns its images to channels-last, where the gate is a plain row, and back again.

baseline: squeeze_excite
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.down = nn.Linear(channels, squeezed)
        self.up = nn.Linear(squeezed, channels)

    def forward(self, x):
        rows = x.permute(0, 2, 3, 1).contiguous()
        pooled = rows.mean(dim=(1, 2))
        gate = torch.sigmoid(self.up(torch.relu(self.down(pooled))))
        excited = F.leaky_relu(rows * gate[:, None, None], 0.1)
        return excited.permute(0, 3, 1, 2).contiguous()
