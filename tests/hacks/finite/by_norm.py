"""Takes for finite what has a finite norm."""

import torch


def checked(x):
    return x * 0.1, torch.isfinite(x.square().sum()).float()
