# target: batch
import torch


def batch(data):
    """Where a slice begins is in a tensor: no two can be taken in one call."""
    ix = torch.arange(3) * 2
    x = torch.stack([data[i : i + 4] for i in ix])
    y = torch.stack([data[i + 1 : i + 5] for i in ix])
    return x * y


def get_inputs():
    return [torch.randn(32)]
