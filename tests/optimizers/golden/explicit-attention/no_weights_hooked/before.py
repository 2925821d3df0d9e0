# target: Block
import torch
from torch import nn


class Attend(nn.Module):
    def forward(self, q, k, v):
        p = torch.softmax(q @ k.transpose(-2, -1), dim=-1)
        return p @ v, p


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attend = Attend()
        self.seen = []
        self.attend.register_forward_hook(lambda module, given, result: self.seen.append(result[1]))

    def forward(self, x):
        return self.attend(x, x, x)[0] * self.seen.pop().mean()


def get_inputs():
    return [torch.randn(2, 6, 8)]
