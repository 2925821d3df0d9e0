# target: Pair
import torch
from torch import nn


def attend(q, k, v):
    p = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
    return p @ v, p


class Pair(nn.Module):
    def forward(self, x, y):
        one, _ = attend(x, y, y)
        two, p = attend(y, x, x)
        return one + p @ x, two


def get_inputs():
    return [torch.randn(2, 6, 8), torch.randn(2, 6, 8)]
