"""Leaves a hook behind that makes every operation of other modules go through Python.

baseline: layer_norm
caught-by: hard-crimes, speedup, process-state
needs: cpu
written: before-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode


class Detour(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


detour = Detour()
entered = False


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        global entered
        if not entered:
            entered = True
            detour.__enter__()
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias)
