# target: Shrink
import torch
from torch import nn


class Shrink(nn.Module):
    def forward(self, x, y):
        out = y.clone()
        small = torch.abs(y) < 0.3
        out = torch.where(small, (0.5 * x + torch.tanh(y)).to(out.dtype), out)
        return out * 2


def get_inputs():
    return [torch.randn(3, 5), torch.randn(3, 5)]
