"""Keeps time first and returns a transposed view of memory of its own.

baseline: linear_recurrence
needs: cpu
written: before-freeze
"""

import torch


def linear_recurrence(x, decay):
    decay = torch.sigmoid(decay)
    out = torch.empty(x.shape[1], x.shape[0], x.shape[2], dtype=x.dtype, device=x.device)
    h = torch.zeros_like(x[:, 0])
    for t, (value, keep) in enumerate(zip(x.unbind(1), decay.unbind(1))):
        h = torch.addcmul(value, keep, h)
        out[t] = h
    return out.transpose(0, 1)
