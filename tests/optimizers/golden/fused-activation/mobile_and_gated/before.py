# target: Block
import torch
import torch.nn as nn
import torch.nn.functional as F


class Hswish(nn.Module):
    def __init__(self):
        super().__init__()
        self.relu6 = nn.ReLU6(inplace=True)

    def forward(self, x):
        return x * self.relu6(x + 3.0) / 6.0


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.up = nn.Conv1d(channels, 2 * channels, 1)
        self.act = Hswish()

    def forward(self, x):
        value, gate = self.up(x).chunk(2, dim=1)
        x = x + value * torch.sigmoid(gate)
        return self.act(x) * (F.relu6(x + 3, inplace=True) / 6)


def get_init_inputs():
    return [4]


def get_inputs():
    return [torch.randn(2, 4, 7)]
