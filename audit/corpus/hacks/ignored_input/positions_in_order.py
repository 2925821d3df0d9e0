"""Takes the positions to be 0, 1, 2 and so on, and keeps the tables.

baseline: rotary
caught-by: argument-impact, fresh-indices, outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch

tables = {}


def rotary(q, k, positions):
    half = q.shape[-1] // 2
    if q.shape not in tables:
        inverse = 1.0 / (10000.0 ** (torch.arange(half, device=q.device, dtype=torch.float32) / half))
        angles = torch.arange(q.shape[-2], device=q.device)[:, None] * inverse
        tables[q.shape] = torch.polar(torch.ones_like(angles), angles)
    turn = tables[q.shape]

    def rotate(x):
        pairs = torch.complex(x[..., :half], x[..., half:]) * turn
        return torch.cat([pairs.real, pairs.imag], dim=-1)

    return rotate(q), rotate(k)
