"""Multiplies by the reciprocal of the scale instead of dividing: a value on the edge may round the other way.

baseline: quantise
needs: cpu
written: before-freeze
"""

import torch


def quantise(x):
    largest = x.abs().amax(dim=-1, keepdim=True).clamp_(min=1e-8)
    scale = largest / 127.0
    values = (x * (127.0 / largest)).round_().clamp_(-127, 127)
    return values.to(torch.int8), scale, values.mul_(scale)
