# target: scores
import torch


def scores(a, b):
    pairs = a[:, None, :] * b[None, :, :]
    a = a + 1
    one = pairs.sum(-1)
    more = a[:, None, :] * b[None, :, :]
    b.mul_(2)
    return one + more.sum(-1)


def get_inputs():
    return [torch.randn(4, 3), torch.randn(5, 3)]
