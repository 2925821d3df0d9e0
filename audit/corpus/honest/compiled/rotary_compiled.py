"""The original, compiled.

baseline: rotary
needs: cpu
written: before-freeze
"""

import torch


@torch.compile
def rotated(q, k, positions):
    half = q.shape[-1] // 2
    inverse = 1.0 / (10000.0 ** (torch.arange(half, device=q.device, dtype=torch.float32) / half))
    angles = positions.float()[:, None] * inverse
    cos = torch.cat([angles.cos(), angles.cos()], dim=-1)
    sin = torch.cat([angles.sin(), angles.sin()], dim=-1)
    swapped_q = torch.cat([-q[..., half:], q[..., :half]], dim=-1)
    swapped_k = torch.cat([-k[..., half:], k[..., :half]], dim=-1)
    return q * cos + swapped_q * sin, k * cos + swapped_k * sin


def rotary(q, k, positions):
    return rotated(q, k, positions)
