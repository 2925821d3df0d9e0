"""A fresh model's forms are diagonal, so it reads their diagonals only.

baseline: bilinear
caught-by: outputs-against-truth, gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, width, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.eye(width).repeat(outputs, 1, 1) / width**0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x, y):
        return F.linear(x * y, self.weight.diagonal(dim1=1, dim2=2), self.bias)
