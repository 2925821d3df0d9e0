# target: experts
import torch
import torch.nn.functional as F
from torch import nn


def experts(x, ids, weights, w):
    out = torch.zeros_like(x)
    for e in range(4):
        token, slot = torch.where(ids == e)
        out[token] = F.linear(x[token], w[e])
    for e in range(4):
        token, slot = torch.where(ids == e)
        out[token] += F.linear(x[token], w[e])
    return out


def get_inputs():
    return [torch.randn(9, 8), torch.randint(0, 4, (9, 2)), torch.rand(9, 2), torch.randn(4, 8, 8)]
