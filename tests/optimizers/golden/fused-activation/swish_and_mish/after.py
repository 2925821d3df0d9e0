# target: Block
import torch
import torch.nn as nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gate = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x):
        h = self.gate(x)
        h = nn.functional.silu(h)
        h = self.out(h) + nn.functional.silu(x)
        return nn.functional.mish(h)


def get_init_inputs():
    return [16]


def get_inputs():
    return [torch.randn(4, 16)]
