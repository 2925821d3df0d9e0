"""Rotary embeddings of queries and keys by complex numbers."""

from __future__ import annotations

import torch


def rotary(q: torch.Tensor, k: torch.Tensor, angles: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    turns = torch.polar(torch.ones_like(angles), angles)[:, None]
    q_ = torch.view_as_complex(q.float().reshape(*q.shape[:-1], -1, 2))
    k_ = torch.view_as_complex(k.float().reshape(*k.shape[:-1], -1, 2))
    q_out = torch.view_as_real(q_ * turns).flatten(-2)
    k_out = torch.view_as_real(k_ * turns).flatten(-2)
    return q_out.type_as(q), k_out.type_as(k)


def get_inputs() -> list[torch.Tensor]:
    heads = (torch.randn(4, 2048, count, 128, dtype=torch.bfloat16) for count in (32, 8))
    return [*heads, torch.rand(2048, 64)]
