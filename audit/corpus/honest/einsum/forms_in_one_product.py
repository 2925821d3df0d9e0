"""All forms in one product with the first input, contracted with the second one afterwards.

baseline: bilinear
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.eye(width).repeat(outputs, 1, 1) / width**0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x, y):
        half = torch.einsum("bi,oij->boj", x, self.weight)
        return torch.einsum("boj,bj->bo", half, y) + self.bias
