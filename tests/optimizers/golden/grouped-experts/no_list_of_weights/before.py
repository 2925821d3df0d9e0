# target: experts
import torch
import torch.nn.functional as F
from torch import nn


def experts(x, ids, weights: torch.Tensor, w: list[torch.Tensor]):
    out = torch.zeros_like(x)
    for e in range(4):
        token, slot = torch.where(ids == e)
        out.index_add_(0, token, F.linear(x[token], w[e]))
    each = [one for one in w]
    for e in range(4):
        token, slot = torch.where(ids == e)
        out.index_add_(0, token, F.linear(x[token], each[e]))
    parts = weights.unbind(0)
    for e in range(4):
        token, slot = torch.where(ids == e)
        out.index_add_(0, token, F.linear(x[token], parts[e]))
    return out


def get_inputs():
    return [torch.randn(9, 8), torch.randint(0, 4, (9, 2)), torch.rand(9, 2), torch.randn(4, 8, 8)]
