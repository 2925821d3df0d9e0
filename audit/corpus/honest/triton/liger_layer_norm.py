"""liger-kernel's layer normalisation, backward pass included.

baseline: layer_norm
needs: cuda
written: before-freeze
"""

import torch
from liger_kernel.transformers.functional import liger_layer_norm
from torch import nn


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return liger_layer_norm(x, self.weight, self.bias, 1e-5)
