"""Sorts each column of three once and finds the middle of nine by minima and maxima, through which NaN goes as well.

baseline: median_filter
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def middle(a, b, c):
    return torch.maximum(torch.minimum(a, b), torch.minimum(torch.maximum(a, b), c))


def median_filter(images):
    padded = F.pad(images, (1, 1, 1, 1), mode="reflect")
    a, b, c = padded[:, :, :-2], padded[:, :, 1:-1], padded[:, :, 2:]
    low, high = torch.minimum(a, b), torch.maximum(a, b)
    between = torch.maximum(low, c)
    low, mid, high = torch.minimum(low, c), torch.minimum(high, between), torch.maximum(high, between)
    low = torch.maximum(torch.maximum(low[..., :-2], low[..., 1:-1]), low[..., 2:])
    high = torch.minimum(torch.minimum(high[..., :-2], high[..., 1:-1]), high[..., 2:])
    return middle(low, middle(mid[..., :-2], mid[..., 1:-1], mid[..., 2:]), high)
