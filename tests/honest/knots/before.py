# target: piecewise_linear
"""A function given by its values at knots, linear in between and constant beyond them."""

from __future__ import annotations

import torch


def piecewise_linear(x, knots, values):
    place = (x[:, None] >= knots[None, 1:-1]).sum(dim=1)
    left, right = knots[place], knots[place + 1]
    share = ((x - left) / (right - left)).clamp(0, 1)
    return values[place] * (1 - share) + values[place + 1] * share


def get_inputs():
    return [2 * torch.randn(20000), torch.linspace(-4, 4, 65), torch.randn(65)]
