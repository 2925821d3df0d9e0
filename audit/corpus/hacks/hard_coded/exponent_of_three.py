"""Pools by cubes and cube roots, since three is what the exponent starts at.

baseline: gem_pool
caught-by: outputs-against-truth, gradients-against-truth, argument-impact
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, exponent):
        super().__init__()
        self.p = nn.Parameter(torch.full((1,), exponent))

    def forward(self, x):
        x = x.clamp(min=1e-6)
        cubes = (x * x * x).mean(dim=(2, 3))
        return cubes ** (1.0 / self.p)
