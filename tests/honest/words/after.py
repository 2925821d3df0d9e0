# target: hamming
from __future__ import annotations

import torch


def signs(words):
    bits = words[..., None] >> torch.arange(64, device=words.device) & 1
    return bits.flatten(1).to(torch.float32).mul_(2).sub_(1)


def hamming(queries, codes):
    """Sums of plus and minus one, which fp32 holds exactly."""
    return (64 * codes.shape[1] - signs(queries) @ signs(codes).T).div_(2).to(torch.int64)


def get_inputs():
    return [torch.randint(0, 2**62, (16, 4)), torch.randint(0, 2**62, (256, 4))]
