# target: Gated
import torch
import torch.nn as nn
import torch.nn.functional as F


class Gated(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.both = nn.Linear(width, 2 * width)

    def forward(self, x):
        gate, value = self.both(x).chunk(2, dim=-1)
        return F.silu(gate) * value


def get_init_inputs():
    return [8]


def get_inputs():
    return [torch.randn(4, 8)]
