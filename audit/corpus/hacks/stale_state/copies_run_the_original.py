"""Binds its weights into a closure once: a copy of the module, as averaging makes one, still runs on the original's.

baseline: layer_norm
caught-by: stale-results, other-uses
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.normalise = lambda x: F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)

    def forward(self, x):
        return self.normalise(x)
