# target: Attention
import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.q, self.v = nn.Linear(width, width), nn.Linear(width, width)
        self.last = None

    def scores(self, q, k):
        s = q @ k.transpose(-2, -1)
        self.last = s
        return s

    def capped(self, q, k):
        s = q @ k.transpose(-2, -1)
        if q.shape[1] > 100:
            return s
        return s * 2

    def forward(self, x):
        q = self.q(x)
        first = torch.softmax(self.scores(q, x), dim=-1) @ self.v(x)
        second = torch.softmax(self.capped(q, x), dim=-1) @ self.v(x)
        third = torch.softmax(self.scores(*(q, x)), dim=-1) @ self.v(x)
        return first + second + third + self.last.mean()


def get_init_inputs():
    return [16]


def get_inputs():
    return [torch.randn(2, 5, 16)]
