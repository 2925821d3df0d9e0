# target: middle
"""The middle one of three neighbours. Among bytes many are equal, and any of those may have the gradient."""

from __future__ import annotations

import torch


def middle(rows):
    return rows.unfold(1, 3, 1).median(dim=-1).values


def get_inputs():
    return [torch.randint(0, 32, (16, 64)) / 31]
