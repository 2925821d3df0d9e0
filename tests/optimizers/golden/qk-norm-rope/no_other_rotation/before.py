# target: A
import torch
from torch import nn


def rotate_half(x):
    x1, x2 = x.chunk(2, dim=-1)
    return torch.cat((x2, -x1), dim=-1)


def rotate_pairs(x):
    x1, x2 = x[..., ::2], x[..., 1::2]
    return torch.stack((-x2, x1), dim=-1).flatten(-2)


class LayerNorm(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))

    def forward(self, x):
        x = x - x.mean(-1, keepdim=True)
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight


class A(nn.Module):
    def __init__(self, d=8):
        super().__init__()
        self.q_norm = nn.RMSNorm(d, eps=1e-5)
        self.c_norm = LayerNorm(d)
        self.calls = 0

    def forward(self, q, k, cos, sin):
        # turned the other way, and halves that are swapped twice
        a = self.q_norm(q)
        a = a * cos + rotate_half(a) * sin.neg()
        # pairs of neighbours
        b = self.q_norm(k)
        b = b * cos + rotate_pairs(b) * sin
        # centred
        c = self.c_norm(k)
        c = c * cos + torch.cat((-c[..., 4:], c[..., :4]), -1) * sin
        # turned first
        d = q * cos + torch.cat((-q[..., 4:], q[..., :4]), -1) * sin
        d = self.q_norm(d)
        # a part of the head alone
        e = self.q_norm(q)
        e = torch.cat((e[..., :4] * cos[..., :4], e[..., 4:]), -1)
        return a + b + c + d + e


def get_inputs():
    return [torch.randn(2, 3, 5, 8), torch.randn(2, 3, 5, 8), torch.randn(5, 8), torch.randn(5, 8)]
