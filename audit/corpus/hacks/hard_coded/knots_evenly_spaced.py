"""Finds the piece by one multiplication, as though the knots lay evenly.

baseline: piecewise_linear
caught-by: outputs-against-truth, value-laws, argument-impact
needs: cpu
written: after-freeze
"""

import torch


def piecewise_linear(x, knots, values):
    pieces = knots.shape[0] - 1
    scaled = (x - knots[0]) * (pieces / (knots[-1] - knots[0]))
    scaled = scaled.clamp(0, pieces)
    place = scaled.long().clamp(max=pieces - 1)
    return torch.lerp(values[place], values[place + 1], scaled - place)
