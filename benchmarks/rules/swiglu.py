"""The gate of a Llama-sized feed-forward layer, between its products."""

from __future__ import annotations

import torch
import torch.nn.functional as F

SIZE, DTYPE = ((4, 1024, 14336), torch.bfloat16) if torch.cuda.is_available() else ((2, 64, 688), torch.float32)


def gate(gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    return F.silu(gate) * up


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(*SIZE, dtype=DTYPE, requires_grad=True) for _ in range(2)]
