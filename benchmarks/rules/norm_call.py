"""Rows divided by their length, as it is written out."""

from __future__ import annotations

import torch

SIZE, DTYPE = ((8, 1024, 4096), torch.bfloat16) if torch.cuda.is_available() else ((8, 128, 512), torch.float32)


def unit(x: torch.Tensor) -> torch.Tensor:
    length = torch.sqrt(torch.sum(x**2, dim=-1, keepdim=True))
    return x / length


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(*SIZE, dtype=DTYPE, requires_grad=True)]
