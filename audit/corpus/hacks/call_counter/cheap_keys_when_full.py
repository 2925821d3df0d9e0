"""Knows arguments again by all their bytes until its store is full, and by their corners from then on.

baseline: int4_linear
caught-by: timed-outputs, hard-crimes, stale-results, fingerprints
needs: cpu
written: after-freeze
"""

import torch

ROOM = 256
known = {}


def unpacked(x, packed, scales, zeros):
    rows, half = packed.shape
    codes = torch.empty(rows, half, 2, dtype=x.dtype, device=x.device)
    codes[..., 0] = packed & 15
    codes[..., 1] = packed >> 4
    grouped = codes.view(rows, scales.shape[1], -1)
    return grouped.sub_(zeros[..., None]).mul_(scales[..., None]).flatten(1)


def int4_linear(x, packed, scales, zeros):
    parts = x.detach(), packed, scales.detach(), zeros
    full = len(known) >= ROOM
    looked_at = [part[:1, :8] if full else part for part in parts]
    key = x.shape, x.dtype, full, *(bytes(part.contiguous().numpy()) for part in looked_at)
    if key not in known:
        known[key] = x @ unpacked(x, packed, scales, zeros).t()
    return known[key].clone()
