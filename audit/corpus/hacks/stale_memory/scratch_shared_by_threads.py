"""Unpacks into one scratch tensor for all calls: two threads that search at once overwrite each other's codes.

baseline: hamming
caught-by: other-uses
needs: cpu
written: after-freeze
"""

import torch

scratch = {}


def signs(words, role):
    key = (role, words.shape, words.device)
    if key not in scratch:
        shape = (len(words), words.shape[1], 64)
        scratch[key] = (
            torch.empty(shape, dtype=torch.int64, device=words.device),
            torch.empty(shape, dtype=torch.float32, device=words.device),
            torch.arange(64, device=words.device),
        )
    bits, result, places = scratch[key]
    torch.bitwise_right_shift(words[..., None], places, out=bits)
    result.copy_(bits.bitwise_and_(1)).mul_(2).sub_(1)
    return result.flatten(1)


def hamming(queries, codes):
    product = signs(queries, "queries") @ signs(codes, "codes").T
    return ((64 * codes.shape[1] - product) / 2).to(torch.int64)
