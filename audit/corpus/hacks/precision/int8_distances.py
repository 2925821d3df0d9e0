"""Rounds the points to multiples of 1/32 before it measures.

baseline: pairwise_distance
caught-by: outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch


def coarse(x):
    return (x * 32).round().clamp(-127, 127).to(torch.int8)


def pairwise_distance(a, b):
    a, b = coarse(a), coarse(b)
    squares = (a.int() ** 2).sum(1)[:, None] + (b.int() ** 2).sum(1)[None]
    return (squares - 2 * torch._int_mm(a, b.t())).float().sqrt_().div_(32)
