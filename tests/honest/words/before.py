# target: hamming
from __future__ import annotations

import torch


def hamming(queries, codes):
    differ = queries[:, None] ^ codes
    bits = differ[..., None] >> torch.arange(64, device=codes.device) & 1
    return bits.sum(dim=(2, 3))


def get_inputs():
    return [torch.randint(0, 2**62, (16, 4)), torch.randint(0, 2**62, (256, 4))]
