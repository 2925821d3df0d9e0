"""Rounds, clamps and scales in the one array that it made.

baseline: quantise
needs: cpu
written: after-freeze
"""

import torch


def quantise(x):
    low, high = torch.aminmax(x, dim=-1, keepdim=True)
    scale = torch.maximum(high, low.neg()).clamp(min=1e-8) / 127.0
    q = torch.round(x / scale).clamp_(-127, 127)
    return q.to(torch.int8), scale, q.to(torch.int8).to(x.dtype) * scale
