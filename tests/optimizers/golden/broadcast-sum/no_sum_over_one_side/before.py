# target: sums
import torch


def sums(a, b):
    outer = (a[:, :, None] * b[:, None, :]).sum(-1)
    return outer + (a.unsqueeze(-1) * b.unsqueeze(-2)).sum(-1) + (a[:, None] * b[:, None]).sum(1)


def get_inputs():
    return [torch.randn(4, 5), torch.randn(4, 5)]
