# target: pooled
import torch
from torch.nn import functional as F


def pooled(x, w):
    values, _ = x.max(dim=2, keepdim=True)
    x = x - values.detach()
    e = x.exp()
    p = e / e.sum(2, keepdim=True)
    return F.linear(p, w)


def get_inputs():
    return [torch.randn(2, 5, 16), torch.randn(4, 16)]
