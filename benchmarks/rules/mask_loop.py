"""A mixture of experts, whose tokens are looked up expert by expert."""

from __future__ import annotations

import torch
from torch import nn

EXPERTS, CHOSEN = 64, 6


class SparseLayer(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.router = nn.Linear(width, EXPERTS, bias=False)
        self.gate_up = nn.Parameter(torch.randn(EXPERTS, 2 * inner, width) / width**0.5)
        self.down = nn.Parameter(torch.randn(EXPERTS, width, inner) / inner**0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weights, chosen = torch.topk(self.router(x).softmax(dim=-1), CHOSEN, dim=-1)
        out = torch.zeros_like(x)
        mask = nn.functional.one_hot(chosen, num_classes=EXPERTS).permute(2, 1, 0)
        for expert in range(EXPERTS):
            slot, token = torch.where(mask[expert])
            gate, up = nn.functional.linear(x[token], self.gate_up[expert]).chunk(2, dim=-1)
            y = nn.functional.linear(nn.functional.silu(gate) * up, self.down[expert])
            out.index_add_(0, token, y * weights[token, slot, None])
        return out


def get_init_inputs() -> list[int]:
    return [1024, 512]


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(2048, 1024)]
