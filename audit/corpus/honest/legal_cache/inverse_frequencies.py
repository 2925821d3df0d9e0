"""Keeps the inverse frequencies, which depend on nothing but the head's size and the device.

baseline: rotary
needs: cpu
written: before-freeze
"""

from functools import lru_cache

import torch


@lru_cache
def inverse_frequencies(half, device):
    return 1.0 / (10000.0 ** (torch.arange(half, device=device, dtype=torch.float32) / half))


def rotary(q, k, positions):
    half = q.shape[-1] // 2
    angles = positions.float()[:, None] * inverse_frequencies(half, q.device)
    cos, sin = angles.cos().to(q.dtype), angles.sin().to(q.dtype)

    def rotate(x):
        out = torch.empty_like(x)
        a, b = x[..., :half], x[..., half:]
        torch.sub(a * cos, b * sin, out=out[..., :half])
        torch.add(b * cos, a * sin, out=out[..., half:])
        return out

    return rotate(q), rotate(k)
