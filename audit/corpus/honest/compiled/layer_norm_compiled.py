"""The original forward pass, compiled; inductor derives the backward pass.

baseline: layer_norm
needs: cpu
written: before-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    @torch.compile
    def forward(self, x):
        mean = x.mean(dim=-1, keepdim=True)
        centred = x - mean
        variance = (centred * centred).mean(dim=-1, keepdim=True)
        return self.weight * (centred / torch.sqrt(variance + 1e-5)) + self.bias
