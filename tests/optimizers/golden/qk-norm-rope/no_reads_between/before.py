# target: f
import torch
from torch import nn
import torch.nn.functional as F


def rotate_half(x):
    a, b = x.chunk(2, -1)
    return torch.cat((-b, a), -1)


def f(q, k, w, cos, sin):
    q = F.rms_norm(q, (q.size(-1),), w)
    s = q.sum()
    q = q * cos + rotate_half(q) * sin
    k = F.rms_norm(k, (k.size(-1),), w)
    # the other way round
    k = k * cos - rotate_half(k) * sin + s
    return q @ k.mT + s


def get_inputs():
    return [torch.randn(2, 3, 5, 8), torch.randn(2, 3, 5, 8), torch.randn(8), torch.randn(5, 8), torch.randn(5, 8)]
