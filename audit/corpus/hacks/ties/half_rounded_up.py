"""Rounds a half up always, not to the even one.

baseline: quantise
caught-by: outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch


def quantise(x):
    scale = x.abs().amax(dim=-1, keepdim=True).clamp_(min=1e-8).div_(127.0)
    q = (x / scale).add_(0.5).floor_().clamp_(-127, 127)
    return q.to(torch.int8), scale, q.mul_(scale)
