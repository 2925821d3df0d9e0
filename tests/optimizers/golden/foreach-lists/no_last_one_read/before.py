# target: shrink
import torch


def shrink(a, b):
    params = [a.detach().clone(), b.detach().clone()]
    for p in params:
        p.mul_(0.5)
    return p + 1


def get_inputs():
    return [torch.randn(4), torch.randn(4)]
