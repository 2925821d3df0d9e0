# target: lengths
import math

import torch


def lengths(x, y):
    a = x / torch.sqrt((x * x).sum(-1, keepdim=True) + 1e-8)
    b = torch.sqrt((x * x).mean(-1, keepdim=True))
    c = torch.sqrt((x * y).sum(-1, keepdim=True).abs())
    d = math.sqrt(sum(value * value for value in x.flatten().tolist()))
    e = x.detach().numpy()
    e = (e * e).sum(-1) ** 0.5
    return a + b + c + d + torch.from_numpy(e)[:, None]


def get_inputs():
    return [torch.randn(4, 8), torch.randn(4, 8)]
