"""Rotary position embedding of queries and keys; the tables are made anew in every call."""

import torch


def rotary(q, k, positions):
    half = q.shape[-1] // 2
    inverse = 1.0 / (10000.0 ** (torch.arange(half, device=q.device, dtype=torch.float32) / half))
    angles = positions.float()[:, None] * inverse
    cos = torch.cat([angles.cos(), angles.cos()], dim=-1).to(q.dtype)
    sin = torch.cat([angles.sin(), angles.sin()], dim=-1).to(q.dtype)

    def rotate(x):
        swapped = torch.cat([-x[..., half:], x[..., :half]], dim=-1)
        return x * cos + swapped * sin

    return rotate(q), rotate(k)


def get_inputs():
    return [torch.randn(2, 8, 128, 64), torch.randn(2, 8, 128, 64), torch.arange(128)]
