# target: Block
import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gain = nn.Parameter(torch.rand(width) + 0.5)

    def forward(self, x):
        # of the rows' dtype, whatever the gain has
        return F.rms_norm(x, x.shape[-1:], self.gain, 1e-5) * 2


def get_init_inputs():
    return [12]


def get_inputs():
    return [torch.randn(3, 12)]
