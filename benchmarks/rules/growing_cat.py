"""Windows of a signal, joined one after the other."""

from __future__ import annotations

import torch

STEPS = 512


def windows(x: torch.Tensor) -> torch.Tensor:
    out = x.new_empty(x.shape[0], 0, x.shape[2])
    for start in range(STEPS):
        pooled = x[:, start : start + 16].mean(dim=1, keepdim=True)
        out = torch.cat([out, pooled], dim=1)
    return out * 2


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(8, STEPS + 16, 128)]
