"""Keeps the weights for these very codes and scales as long as nobody writes into them, and forgets the zero points.

baseline: int4_linear
caught-by: stale-results, argument-impact, fingerprints, value-laws, outputs-against-truth, other-uses
needs: cpu
written: after-freeze
"""

import weakref

import torch

kept = {}


def unpacked(x, packed, scales, zeros):
    rows, half = packed.shape
    codes = torch.empty(rows, half, 2, dtype=x.dtype, device=x.device)
    codes[..., 0] = packed & 15
    codes[..., 1] = packed >> 4
    grouped = codes.view(rows, scales.shape[1], -1)
    return grouped.sub_(zeros[..., None]).mul_(scales[..., None]).flatten(1)


def int4_linear(x, packed, scales, zeros):
    versions = packed._version, scales._version, x.dtype
    known = kept.get("weight")
    if known is None or known[0]() is not packed or known[1]() is not scales or known[2] != versions:
        known = weakref.ref(packed), weakref.ref(scales), versions, unpacked(x, packed, scales, zeros).t()
        kept["weight"] = known
    return x @ known[3]
