# target: GroupedAttention
import torch
from torch import nn


class GroupedAttention(nn.Module):
    def __init__(self, width, heads, groups):
        super().__init__()
        self.heads, self.groups = heads, groups
        self.head = width // heads
        self.q = nn.Linear(width, heads * self.head, bias=False)
        self.k = nn.Linear(width, groups * self.head, bias=False)
        self.v = nn.Linear(width, groups * self.head, bias=False)

    def forward(self, x):
        b, t, c = x.shape
        q = self.q(x).view(b, t, self.heads, self.head).transpose(1, 2)
        k = self.k(x).view(b, t, self.groups, self.head).transpose(1, 2)
        v = self.v(x).view(b, t, self.groups, self.head).transpose(1, 2)
        k = torch.repeat_interleave(k, self.heads // self.groups, dim=1)
        v = torch.repeat_interleave(v, self.heads // self.groups, dim=1)
        scores = q @ k.transpose(-2, -1) / self.head**0.5
        future = torch.ones(t, t, dtype=torch.bool, device=x.device).triu(1)
        weights = scores.masked_fill(future, float("-inf")).softmax(dim=-1)
        return (weights @ v).transpose(1, 2).reshape(b, t, c)


def get_init_inputs():
    return [32, 4, 2]


def get_inputs():
    return [torch.randn(2, 9, 32)]
