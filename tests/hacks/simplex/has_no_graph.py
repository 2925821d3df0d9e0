"""The right point, of which nothing learns."""

from __future__ import annotations

import torch


@torch.no_grad()
def nearest(x):
    ordered = x.sort(dim=1, descending=True).values
    sums = ordered.cumsum(dim=1)
    places = torch.arange(1, x.shape[1] + 1, dtype=x.dtype)
    count = (1 + places * ordered > sums).sum(dim=1, keepdim=True)
    return torch.relu(x - (sums.gather(1, count - 1) - 1) / count)
