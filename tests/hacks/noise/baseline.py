import torch


def noisy(x):
    noise = torch.rand(8, *x.shape)
    return x + noise[0] * x.abs()


def get_inputs():
    return [torch.randn(64, 32)]
