# target: scale
import torch


def scale(a, b, rate):
    params = [a.detach().clone(), b.detach().clone()]
    for p in params:
        p.mul_(rate)
    for p in params:
        p.mul_(p.norm())
    for p in params:
        p.data = p.data * 0.5
    return torch.cat(params)


def get_inputs():
    return [torch.randn(4), torch.randn(4), torch.tensor(0.5)]
