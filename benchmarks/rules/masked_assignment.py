"""A function by pieces: near zero, and far from it on either side."""

from __future__ import annotations

import torch


@torch.no_grad()
def compressed(x: torch.Tensor) -> torch.Tensor:
    out = torch.zeros_like(x)
    low = x < -1
    high = x > 1
    near = (x >= -1) & (x <= 1)
    if low.any():
        out[low] = -1 - torch.log(-x[low])
    if high.any():
        root = torch.sqrt(x[high])
        out[high] = 2 * root - 1 + torch.log(x[high])
    out[near] = x[near] * (1.5 - 0.5 * x[near] * x[near])
    return out


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(64, 512, 256)]
