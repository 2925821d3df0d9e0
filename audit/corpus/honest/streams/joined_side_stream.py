"""Queries on one stream, keys on another; each waits for the other before it returns.

baseline: rotary
needs: cuda
written: before-freeze
"""

import torch

side = torch.cuda.Stream()


def rotary(q, k, positions):
    half = q.shape[-1] // 2
    inverse = 1.0 / (10000.0 ** (torch.arange(half, device=q.device, dtype=torch.float32) / half))
    angles = positions.float()[:, None] * inverse
    cos, sin = angles.cos().to(q.dtype), angles.sin().to(q.dtype)

    def rotate(x):
        a, b = x[..., :half], x[..., half:]
        return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)

    current = torch.cuda.current_stream()
    side.wait_stream(current)
    with torch.cuda.stream(side):
        turned = rotate(k)
    out = rotate(q)
    current.wait_stream(side)
    for tensor in (k, cos, sin):
        tensor.record_stream(side)
    turned.record_stream(current)
    return out, turned
