# target: middle
"""By minima and maxima."""

from __future__ import annotations

import torch


def middle(rows):
    a, b, c = rows[:, :-2], rows[:, 1:-1], rows[:, 2:]
    return torch.maximum(torch.minimum(a, b), torch.minimum(torch.maximum(a, b), c))


def get_inputs():
    return [torch.randint(0, 32, (16, 64)) / 31]
