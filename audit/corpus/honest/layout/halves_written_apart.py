"""Writes each half of the result where it belongs, and joins nothing.

baseline: rotary
needs: cpu
written: after-freeze
"""

import torch


def rotary(q, k, positions):
    half = q.shape[-1] // 2
    inverse = 1.0 / (10000.0 ** (torch.arange(half, device=q.device, dtype=torch.float32) / half))
    angles = positions.float()[:, None] * inverse
    cos, sin = angles.cos().to(q.dtype), angles.sin().to(q.dtype)

    def rotate(x):
        first, second = x[..., :half], x[..., half:]
        out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
        out[..., :half] = first * cos - second * sin
        out[..., half:] = second * cos + first * sin
        return out

    return rotate(q), rotate(k)
