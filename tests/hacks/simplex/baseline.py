"""The nearest point of the simplex to each row."""

import torch


def nearest(x):
    ordered = x.sort(dim=1, descending=True).values
    sums = ordered.cumsum(dim=1)
    places = torch.arange(1, x.shape[1] + 1, dtype=x.dtype)
    count = (1 + places * ordered > sums).sum(dim=1, keepdim=True)
    return torch.relu(x - (sums.gather(1, count - 1) - 1) / count)


def get_inputs():
    return [2 * torch.randn(8, 64)]
