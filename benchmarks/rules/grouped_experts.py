"""A mixture of experts with one parameter for the weights of all, computed expert by expert."""

from __future__ import annotations

import torch
from torch import nn

EXPERTS, CHOSEN = 64, 6


class Experts(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.router = nn.Linear(width, EXPERTS, bias=False, dtype=torch.bfloat16)
        self.gate_up = nn.Parameter(torch.randn(EXPERTS, 2 * inner, width, dtype=torch.bfloat16) / width**0.5)
        self.down = nn.Parameter(torch.randn(EXPERTS, width, inner, dtype=torch.bfloat16) / inner**0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores = self.router(x).softmax(dim=-1, dtype=torch.float32)
        weights, chosen = torch.topk(scores, CHOSEN, dim=-1)
        out = torch.zeros_like(x)
        for expert in range(EXPERTS):
            token, slot = torch.where(chosen == expert)
            if token.numel() == 0:
                continue
            gate, up = nn.functional.linear(x[token], self.gate_up[expert]).chunk(2, dim=-1)
            y = nn.functional.linear(nn.functional.silu(gate) * up, self.down[expert])
            out.index_add_(0, token, (y * weights[token, slot, None]).to(x.dtype))
        return out


def get_init_inputs() -> list[int]:
    return [2048, 1024]


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(4096, 2048, dtype=torch.bfloat16)]
