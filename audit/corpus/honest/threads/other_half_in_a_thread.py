"""Turns the keys in a thread while it turns the queries, and waits for it.

baseline: rotary
needs: cpu
written: before-freeze
"""

import threading

import torch


def rotary(q, k, positions):
    half = q.shape[-1] // 2
    inverse = 1.0 / (10000.0 ** (torch.arange(half, device=q.device, dtype=torch.float32) / half))
    angles = positions.float()[:, None] * inverse
    cos, sin = angles.cos().to(q.dtype), angles.sin().to(q.dtype)
    turned = {}

    def rotate(name, x):
        a, b = x[..., :half], x[..., half:]
        turned[name] = torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)

    other = threading.Thread(target=rotate, args=("k", k))
    other.start()
    rotate("q", q)
    other.join()
    return turned["q"], turned["k"]
