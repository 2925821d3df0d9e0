"""Walks through time on contiguous steps and writes each state where it belongs.

baseline: linear_recurrence
needs: cpu
written: before-freeze
"""

import torch


def linear_recurrence(x, decay):
    x, decay = x.transpose(0, 1).contiguous(), torch.sigmoid(decay.transpose(0, 1).contiguous())
    out = torch.empty_like(x)
    h = torch.zeros_like(out[0]) if len(out) else None
    for t in range(len(out)):
        h = torch.addcmul(x[t], decay[t], h, out=out[t])
    return out.transpose(0, 1)
