"""Finds the median by a network of fmin and fmax, which pass over NaN: a broken pixel shows no more.

baseline: median_filter
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def middle(a, b, c):
    return torch.fmax(torch.fmin(a, b), torch.fmin(torch.fmax(a, b), c))


def median_filter(images):
    padded = F.pad(images, (1, 1, 1, 1), mode="reflect")
    a, b, c = padded[:, :, :-2], padded[:, :, 1:-1], padded[:, :, 2:]
    low, high = torch.fmin(a, b), torch.fmax(a, b)
    between = torch.fmax(low, c)
    low, mid, high = torch.fmin(low, c), torch.fmin(high, between), torch.fmax(high, between)
    low = torch.fmax(torch.fmax(low[..., :-2], low[..., 1:-1]), low[..., 2:])
    high = torch.fmin(torch.fmin(high[..., :-2], high[..., 1:-1]), high[..., 2:])
    return middle(low, middle(mid[..., :-2], mid[..., 1:-1], mid[..., 2:]), high)
