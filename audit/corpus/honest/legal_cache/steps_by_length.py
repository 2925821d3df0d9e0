"""Keeps the numbers of the steps by length and device, and sums what is seen by a product.

baseline: masked_mean
needs: cpu
written: after-freeze
"""

import torch

STEPS = {}


def steps(length, device):
    key = (length, device)
    if key not in STEPS:
        STEPS[key] = torch.arange(length, device=device)
    return STEPS[key]


def masked_mean(x, lengths):
    seen = (steps(x.shape[1], x.device) < lengths[:, None]).to(x.dtype)
    total = (seen[:, None] @ x).squeeze(1)
    return total / lengths.clamp(min=1)[:, None].to(x.dtype)
