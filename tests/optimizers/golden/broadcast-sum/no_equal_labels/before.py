# target: agreement
import torch


def agreement(a, b, weight):
    same = (a[:, None, :] == b[None, :, :]).sum(-1)
    return same + ((a[:, None] > 0) * b[None]).sum(-1) + (a[:, None, :] * b[None, :, :]).sum() * weight


def get_inputs():
    return [torch.randn(4, 3), torch.randn(5, 3), torch.randn(1)]
