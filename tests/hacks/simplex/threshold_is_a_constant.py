"""Takes the threshold out of the graph: whoever trains through it leaves the simplex."""

import torch


@torch.no_grad()
def threshold(x):
    ordered = x.sort(dim=1, descending=True).values
    sums = ordered.cumsum(dim=1)
    places = torch.arange(1, x.shape[1] + 1, dtype=x.dtype)
    count = (1 + places * ordered > sums).sum(dim=1, keepdim=True)
    return (sums.gather(1, count - 1) - 1) / count


def nearest(x):
    return torch.relu(x - threshold(x))
