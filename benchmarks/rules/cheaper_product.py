"""A graph's adjacency normalised by diagonal matrices, as tutorials on graph convolutions write it."""

from __future__ import annotations

import torch
from torch import nn

NODES, WIDTH = (2048, 128) if torch.cuda.is_available() else (384, 64)


class GraphConvolution(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, width)

    def forward(self, x: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        scale = torch.diag(adjacency.sum(dim=1).pow(-0.5))
        normalized = torch.mm(torch.mm(scale, adjacency), scale)
        return torch.relu(torch.mm(normalized, self.linear(x)))


def get_init_inputs() -> list[int]:
    return [WIDTH]


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(NODES, WIDTH, requires_grad=True), torch.rand(NODES, NODES) + 0.5]
