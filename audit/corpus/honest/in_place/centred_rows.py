"""Scales, rounds and dequantises in one temporary.

baseline: quantise
needs: cpu
written: before-freeze
"""

import torch


def quantise(x):
    scale = x.abs().amax(dim=-1, keepdim=True).clamp_(min=1e-8).div_(127.0)
    values = torch.div(x, scale).round_().clamp_(-127, 127)
    return values.to(torch.int8), scale, values.mul_(scale)
