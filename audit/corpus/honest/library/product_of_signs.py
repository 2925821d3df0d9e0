"""Writes the bits as plus and minus one and multiplies: the sums are small integers, which float32 holds exactly.

baseline: hamming
needs: cpu
written: after-freeze
"""

import torch


def signs(words):
    bits = words[..., None] >> torch.arange(64, device=words.device) & 1
    return bits.flatten(1).to(torch.float32).mul_(2).sub_(1)


def hamming(queries, codes):
    with torch.autocast(codes.device.type, enabled=False):
        product = signs(queries) @ signs(codes).T
    return (64 * codes.shape[1] - product).div_(2).to(torch.int64)
