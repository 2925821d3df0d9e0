"""The square of each row's length."""

import torch


def lengths(x):
    return (x * x).sum(dim=1)


def get_inputs():
    return [torch.randn(48, 24)]
