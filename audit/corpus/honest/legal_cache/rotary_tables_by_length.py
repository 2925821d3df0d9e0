"""Keeps cosines and sines by length, device and dtype; used only when the positions are what they were made for.

baseline: rotary
needs: cpu
written: before-freeze
"""

import torch

tables = {}


def table(positions, half, dtype):
    key = (len(positions), half, positions.device, dtype)
    known = tables.get(key)
    if known is None or not torch.equal(known[0], positions):
        inverse = 1.0 / (10000.0 ** (torch.arange(half, device=positions.device, dtype=torch.float32) / half))
        angles = positions.float()[:, None] * inverse
        known = tables[key] = positions.clone(), angles.cos().to(dtype), angles.sin().to(dtype)
    return known[1:]


def rotary(q, k, positions):
    half = q.shape[-1] // 2
    cos, sin = table(positions, half, q.dtype)

    def rotate(x):
        a, b = x[..., :half], x[..., half:]
        return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)

    return rotate(q), rotate(k)
