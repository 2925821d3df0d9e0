# target: scale
"""No import of torch at all."""
import torch


@torch.compile
def scale(x, y):
    return (x * y).sum()
