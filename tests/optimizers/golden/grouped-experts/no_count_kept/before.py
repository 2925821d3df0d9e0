# target: experts
import torch
import torch.nn.functional as F
from torch import nn


def experts(x, ids, weights, w):
    out, seen = torch.zeros_like(x), 0
    for e in range(4):
        token, slot = torch.where(ids == e)
        seen += token.numel()
        out.index_add_(0, token, F.linear(x[token], w[e]))
    for e in range(4):
        token, slot = torch.where(ids == e)
        y = F.linear(x[token], w[e])
        out.index_add_(0, token, y)
    last = y
    scale = 1.0
    for e in range(4):
        token, slot = torch.where(ids == e)
        out.index_add_(0, token, F.linear(x[token], w[e]) * scale)
        scale = scale * 0.5
    return out + last.sum() + seen


def get_inputs():
    return [torch.randn(9, 8), torch.randint(0, 4, (9, 2)), torch.rand(9, 2), torch.randn(4, 8, 8)]
