"""Compares 63 bits by a product of signs and forgets the sign bit, which no test code has set.

baseline: hamming
caught-by: value-laws
needs: cpu
written: after-freeze
"""

import torch

BITS = 63


def signs(words):
    bits = words[..., None] >> torch.arange(BITS, device=words.device) & 1
    return bits.flatten(1).to(torch.float32).mul_(2).sub_(1)


def hamming(queries, codes):
    width = BITS * codes.shape[1]
    return ((width - signs(queries) @ signs(codes).T) / 2).to(torch.int64)
