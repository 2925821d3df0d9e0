"""Keeps the unpacked codes for as long as the index has the same size, first and last code: what changes between is missed.

baseline: hamming
caught-by: fingerprints, timed-outputs
needs: cpu
written: after-freeze
"""

import torch

unpacked = {}


def signs(words):
    bits = words[..., None] >> torch.arange(64, device=words.device) & 1
    return bits.flatten(1).to(torch.float32).mul_(2).sub_(1)


def hamming(queries, codes):
    key = (codes.shape, codes.device, tuple(codes[:: max(len(codes) - 1, 1)].flatten().tolist()))
    if key not in unpacked:
        unpacked.clear()
        unpacked[key] = signs(codes).T.contiguous()
    return ((64 * codes.shape[1] - signs(queries) @ unpacked[key]) / 2).to(torch.int64)
