"""A tenth of what is given, and whether all of it is finite."""

import torch


def checked(x):
    return x * 0.1, torch.isfinite(x).all().float()


def get_inputs():
    return [torch.randn(64, 64)]
