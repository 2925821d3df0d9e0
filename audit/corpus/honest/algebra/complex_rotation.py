"""A rotation as a product of complex numbers.

baseline: rotary
needs: cpu
written: before-freeze
"""

import torch


def rotary(q, k, positions):
    half = q.shape[-1] // 2
    inverse = 1.0 / (10000.0 ** (torch.arange(half, device=q.device, dtype=torch.float32) / half))
    angles = positions.float()[:, None] * inverse
    turn = torch.polar(torch.ones_like(angles), angles)

    def rotate(x):
        turned = torch.complex(x[..., :half], x[..., half:]) * turn
        return torch.cat([turned.real, turned.imag], dim=-1)

    return rotate(q), rotate(k)
