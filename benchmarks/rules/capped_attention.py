"""Attention of a layer that caps its scores, with a mask for each pair of positions."""

from __future__ import annotations

import torch

SIZE, DTYPE = ((2, 16, 1024, 128), torch.bfloat16) if torch.cuda.is_available() else ((1, 4, 128, 32), torch.float32)


def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor, cap: float) -> torch.Tensor:
    scores = torch.matmul(q, k.transpose(2, 3)) * q.shape[-1] ** -0.5
    scores = torch.tanh(scores / cap) * cap
    scores = scores + mask
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(q.dtype)
    return torch.matmul(weights, v)


def get_inputs() -> list[torch.Tensor | float]:
    q, k, v = (torch.randn(*SIZE, dtype=DTYPE, requires_grad=True) for _ in range(3))
    return [q, k, v, torch.randn(SIZE[0], 1, SIZE[2], SIZE[2], dtype=DTYPE), 30.0]
