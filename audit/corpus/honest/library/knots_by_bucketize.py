"""Finds each piece by bisection.

baseline: piecewise_linear
needs: cpu
written: after-freeze
"""

import torch


def piecewise_linear(x, knots, values):
    place = torch.bucketize(x, knots[1:-1], right=True)
    left, right = knots[place], knots[place + 1]
    share = ((x - left) / (right - left)).clamp_(0, 1)
    return values[place] * (1 - share) + values[place + 1] * share
