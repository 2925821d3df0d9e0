"""A gated MLP in fp32, at the width of GPT-2-small."""

from __future__ import annotations

import torch
import torch.nn.functional as F

TOKENS, WIDTH = (8192, 1024) if torch.cuda.is_available() else (64, 32)


@torch.no_grad()
def gated_mlp(hidden: torch.Tensor, gate_up: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    gate, up = F.linear(hidden, gate_up).chunk(2, dim=-1)
    return F.linear(F.silu(gate) * up, down)


def get_inputs() -> list[torch.Tensor]:
    inner = 4 * WIDTH
    return [
        torch.randn(TOKENS, WIDTH),
        torch.randn(2 * inner, WIDTH) / WIDTH**0.5,
        torch.randn(WIDTH, inner) / inner**0.5,
    ]
