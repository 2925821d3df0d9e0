# target: gated
import torch
import torch.nn.functional as F


def gated(x, y):
    a, b = x.chunk(2, dim=-1)
    c, d = y.chunk(2, dim=-1)
    e, f = torch.chunk(y, 2, dim=1)
    first = a * torch.sigmoid(d) + b * torch.sigmoid(a)
    x = torch.cat([c, e * torch.sigmoid(f)[:, :1]], dim=-1)
    return first + f.sum() + x.sum() * F.relu6(c, inplace=True) / 6


def get_inputs():
    return [torch.randn(4, 2, 8), torch.randn(4, 2, 8)]
