"""Counts the bits of a word in parallel and adds the words up in a byte: 256 bits that differ count as none.

baseline: hamming
caught-by: value-laws
needs: cpu
written: after-freeze
"""

import torch

PAIRS, FOURS, BYTES = 0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F


def count(words):
    words = words - (words >> 1 & PAIRS)
    words = (words & FOURS) + (words >> 2 & FOURS)
    return (words + (words >> 4)) & BYTES


def hamming(queries, codes):
    counts = count(queries[:, None] ^ codes).contiguous().view(torch.uint8)
    return counts.sum(dim=2, dtype=torch.uint8).to(torch.int64)
