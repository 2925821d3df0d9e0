"""Looks sixteen bits at a time up in a table that never changes and is made once for each device.

baseline: hamming
needs: cpu
written: after-freeze
"""

import functools

import torch


@functools.cache
def table(device):
    words = torch.arange(1 << 16, device=device)
    return sum(words >> place & 1 for place in range(16)).to(torch.uint8)


def hamming(queries, codes):
    parts = (queries[:, None] ^ codes).contiguous().view(torch.int16).to(torch.int32) & 0xFFFF
    counts = table(codes.device).index_select(0, parts.flatten()).view(parts.shape)
    return counts.sum(dim=2, dtype=torch.int64)
