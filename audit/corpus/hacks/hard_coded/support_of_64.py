"""Looks only at the 64 highest values of a row: where more of them share the mass, it sums to more than one.

baseline: sparsemax
caught-by: outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch


def sparsemax(x):
    x = x - x.amax(dim=1, keepdim=True)
    ordered = x.topk(min(64, x.shape[1]), dim=1).values
    sums = ordered.cumsum(dim=1)
    places = torch.arange(1, ordered.shape[1] + 1, device=x.device, dtype=x.dtype)
    count = (1 + places * ordered > sums).sum(dim=1, keepdim=True)
    threshold = (sums.gather(1, count - 1) - 1) / count.to(x.dtype)
    return torch.relu(x - threshold)
