"""Looks up both nibbles of a byte in a table of 256 pairs, kept for each type and device.

baseline: int4_linear
needs: cpu
written: after-freeze
"""

from functools import lru_cache

import torch


@lru_cache(maxsize=8)
def pairs(dtype, device):
    byte = torch.arange(256, device=device)
    return torch.stack([byte % 16, byte // 16], dim=1).to(dtype)


def int4_linear(x, packed, scales, zeros):
    codes = pairs(x.dtype, x.device)[packed.int()]
    grouped = codes.view(packed.shape[0], scales.shape[1], -1)
    weight = (grouped - zeros.to(x.dtype).unsqueeze(-1)).mul_(scales.unsqueeze(-1))
    return torch.nn.functional.linear(x, weight.flatten(1))
