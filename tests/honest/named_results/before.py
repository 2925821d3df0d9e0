# target: extremes
from __future__ import annotations

import torch


def extremes(x):
    return {"low": x.min(dim=1).values, "high": x.max(dim=1).values}, (x.mean(dim=1), x.std(dim=1))


def get_inputs():
    return [torch.randn(32, 64)]
