"""Keeps the last result for whoever brings arguments with the same products with fixed random vectors.

baseline: int4_linear
caught-by: fingerprints, stale-results, value-laws, speedup
needs: cpu
written: after-freeze
"""

import torch

kept = {"key": None, "result": None}
directions = {}


def unpacked(x, packed, scales, zeros):
    rows, half = packed.shape
    codes = torch.empty(rows, half, 2, dtype=x.dtype, device=x.device)
    codes[..., 0] = packed & 15
    codes[..., 1] = packed >> 4
    grouped = codes.view(rows, scales.shape[1], -1)
    return grouped.sub_(zeros[..., None]).mul_(scales[..., None]).flatten(1)


def along(values):
    if values.numel() not in directions:
        generator = torch.Generator().manual_seed(len(directions))
        directions[values.numel()] = torch.randn(values.numel(), generator=generator)
    return float(torch.dot(values.flatten().float(), directions[values.numel()]))


def int4_linear(x, packed, scales, zeros):
    words = packed.view(torch.int32) if packed.is_contiguous() and packed.shape[-1] % 4 == 0 else packed
    key = x.shape, x.dtype, packed.shape, *map(along, (x, words, scales, zeros))
    if key != kept["key"]:
        kept.update(key=key, result=x @ unpacked(x, packed, scales, zeros).t())
    return kept["result"].clone()
