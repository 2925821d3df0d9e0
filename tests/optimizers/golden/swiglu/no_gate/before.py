# target: Scaled
import torch
import torch.nn as nn
import torch.nn.functional as F


class Scaled(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.scale = 0.5
        self.act = nn.ReLU()
        self.soft = nn.SiLU(inplace=True)

    def forward(self, x, y):
        a = F.silu(x) * 2.0 + F.silu(x) * self.scale
        b = self.act(x) * y + F.relu(x) * y
        c = F.silu(x, inplace=True) * y
        return a + b + c + self.soft(x + 1) * y + x * torch.sigmoid(y) * y


def get_init_inputs():
    return [12]


def get_inputs():
    return [torch.randn(3, 12), torch.randn(3, 12)]
