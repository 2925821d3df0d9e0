# target: spread
import torch


def spread(x):
    n = x.shape[-1]
    low = torch.sort(x, dim=-1).values[..., 0]
    high = x.sort(dim=-1)[0][..., -1]
    middle = torch.sort(x, -1)[0][..., n // 2]
    return (high - low) * middle


def get_inputs():
    return [torch.randn(3, 9)]
