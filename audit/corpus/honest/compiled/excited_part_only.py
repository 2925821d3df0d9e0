"""Compiles what touches every pixel, and leaves the two small layers to the library.

baseline: squeeze_excite
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


@torch.compile(dynamic=True)
def excite(x, gate):
    excited = x * gate[:, :, None, None]
    return torch.where(excited > 0, excited, 0.1 * excited)


class Model(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.down = nn.Linear(channels, squeezed)
        self.up = nn.Linear(squeezed, channels)

    def forward(self, x):
        return excite(x, torch.sigmoid(self.up(torch.relu(self.down(x.mean(dim=(2, 3)))))))
