# target: dots
import torch


def dots(a, b, w):
    return (a * b).sum(-1) + (a * w).sum(dim=1) + ((a - b) ** 2).sum(-1)


def get_inputs():
    return [torch.randn(4, 4), torch.randn(4, 4), torch.randn(4)]
