# target: extremes
from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import torch


class Moments(NamedTuple):
    mean: torch.Tensor
    std: torch.Tensor


def extremes(x):
    low, high = x.aminmax(dim=1)
    std, mean = torch.std_mean(x, dim=1)
    return OrderedDict(low=low, high=high), Moments(mean, std)


def get_inputs():
    return [torch.randn(32, 64)]
