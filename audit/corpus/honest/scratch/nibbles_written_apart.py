"""Writes both nibbles of the bytes to their places in one allocation and goes on in place.

baseline: int4_linear
needs: cpu
written: after-freeze
"""

import torch


def unpacked(x, packed, scales, zeros):
    rows, half = packed.shape
    codes = torch.empty(rows, half, 2, dtype=x.dtype, device=x.device)
    codes[..., 0] = packed & 15
    codes[..., 1] = packed >> 4
    grouped = codes.view(rows, scales.shape[1], -1)
    return grouped.sub_(zeros[..., None]).mul_(scales[..., None]).flatten(1)


def int4_linear(x, packed, scales, zeros):
    return x @ unpacked(x, packed, scales, zeros).t()
