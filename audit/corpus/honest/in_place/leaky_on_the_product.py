"""Leaky ReLU in place on the excited images, and the mean of each by the library.

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
        gate = torch.sigmoid(self.up(torch.relu_(self.down(x.mean(dim=(2, 3))))))
        return F.leaky_relu_(x * gate[:, :, None, None], 0.1)
