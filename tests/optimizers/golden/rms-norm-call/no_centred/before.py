# target: norm
import numpy as np
import torch


def norm(x, weight):
    y = x - x.mean(-1, keepdim=True)
    a = x * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + 1e-5) * weight
    b = x * torch.rsqrt(x.pow(2).mean(1, keepdim=True) + 1e-5)
    c = x * torch.rsqrt(x.pow(2).sum(-1, keepdim=True) + 1e-5)
    d = x * (x.pow(3).mean(-1, keepdim=True) + 1e-5).rsqrt()
    x.add_(1)
    e = x / x.pow(2).mean(-1, keepdim=True)
    return a + b + c + d + e


def get_inputs():
    return [torch.randn(3, 8), torch.randn(8)]
