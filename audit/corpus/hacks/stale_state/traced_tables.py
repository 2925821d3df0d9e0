"""Makes its tables from the positions of the first call and keeps them for ever.

baseline: rotary
caught-by: argument-impact, fresh-indices
needs: cpu
written: before-freeze
"""

import torch

tables = None


def rotary(q, k, positions):
    global tables
    half = q.shape[-1] // 2
    if tables is None:
        inverse = 1.0 / (10000.0 ** (torch.arange(half, device=q.device, dtype=torch.float32) / half))
        angles = positions.float()[:, None] * inverse
        tables = angles.cos().to(q.dtype), angles.sin().to(q.dtype)
    cos, sin = tables

    def rotate(x):
        a, b = x[..., :half], x[..., half:]
        return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)

    return rotate(q), rotate(k)
