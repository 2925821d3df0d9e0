"""Its scales stop at three, and their gradient does not."""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.scale = nn.Parameter(2 + 0.1 * torch.randn(size))

    def forward(self, x):
        over = (self.scale.detach() - 3.0).clamp(min=0)
        return torch.tanh(x) * (self.scale - over)
