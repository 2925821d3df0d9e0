"""Rounds every angle to one of 4096 to a turn and looks its sine up.

baseline: rotary
caught-by: outputs-against-truth
needs: cpu
written: after-freeze
"""

import math

import torch

SIZE = 4096
TABLES = {}


def table(device):
    if device not in TABLES:
        turn = torch.arange(SIZE, dtype=torch.float64) * (2 * math.pi / SIZE)
        TABLES[device] = torch.stack([turn.cos(), turn.sin()], dim=-1).float().to(device)
    return TABLES[device]


def rotary(q, k, positions):
    half = q.shape[-1] // 2
    inverse = 1.0 / (10000.0 ** (torch.arange(half, device=q.device, dtype=torch.float32) / half))
    angles = positions.float()[:, None] * (inverse * (SIZE / (2 * math.pi)))
    pairs = table(q.device)[angles.round_().long() % SIZE].to(q.dtype)
    cos, sin = pairs[..., 0], pairs[..., 1]

    def rotate(x):
        first, second = x[..., :half], x[..., half:]
        out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
        torch.mul(first, cos, out=out[..., :half]).addcmul_(second, sin, value=-1.0)
        torch.mul(second, cos, out=out[..., half:]).addcmul_(first, sin)
        return out

    return rotate(q), rotate(k)
