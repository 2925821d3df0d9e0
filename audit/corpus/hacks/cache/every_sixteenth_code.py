"""Keeps the weights while every sixteenth byte of the codes, and all scales and zero points, are as they were.

baseline: int4_linear
caught-by: stale-results, fingerprints, value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch

kept = []


def unpacked(x, packed, scales, zeros):
    rows, half = packed.shape
    codes = torch.empty(rows, half, 2, dtype=x.dtype, device=x.device)
    codes[..., 0] = packed & 15
    codes[..., 1] = packed >> 4
    grouped = codes.view(rows, scales.shape[1], -1)
    return grouped.sub_(zeros[..., None]).mul_(scales[..., None]).flatten(1)


def same(ours, theirs):
    return all(a.dtype == b.dtype and torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def int4_linear(x, packed, scales, zeros):
    seen = packed.flatten()[::16], scales, zeros
    if not kept or kept[0] != (x.dtype, packed.shape) or not same(kept[1], seen):
        kept[:] = [(x.dtype, packed.shape), [part.clone() for part in seen], unpacked(x, packed, scales, zeros).t()]
    return x @ kept[2]
