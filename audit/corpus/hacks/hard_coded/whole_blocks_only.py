"""Walks through time in blocks of sixteen steps and forgets the steps after the last whole block.

baseline: linear_recurrence
caught-by: shapes
needs: cpu
written: before-freeze
"""

import torch


def linear_recurrence(x, decay):
    x, decay = x.transpose(0, 1), torch.sigmoid(decay).transpose(0, 1)
    out = torch.zeros_like(x, memory_format=torch.contiguous_format)
    h = torch.zeros_like(x[0])
    for block in range(x.shape[0] // 16):
        for t in range(16 * block, 16 * block + 16):
            h = torch.addcmul(x[t], decay[t], h, out=out[t])
    return out.transpose(0, 1)
