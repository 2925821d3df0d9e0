import torch


def noisy(x):
    return x + torch.rand_like(x) * x.abs()
