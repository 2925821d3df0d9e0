"""The adapter as two products, the second of which adds itself to the plain layer.

baseline: lora_linear
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width, outputs, rank):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, width) / width**0.5)
        self.down = nn.Parameter(torch.randn(rank, width) / width**0.5)
        self.up = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, x):
        return torch.addmm(x @ self.weight.t(), x @ self.down.t(), self.up.t(), alpha=2.0)
