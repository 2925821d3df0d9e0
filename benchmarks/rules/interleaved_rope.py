"""Rotary embeddings of queries and keys, neighbours turned by tables of cosines and sines."""

from __future__ import annotations

import torch


def turned(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    even, odd = x.float()[..., 0::2], x.float()[..., 1::2]
    pairs = torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1)
    return pairs.flatten(-2).type_as(x)


def rotary(q: torch.Tensor, k: torch.Tensor, angles: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    turns = torch.polar(torch.ones_like(angles), angles)
    return turned(q, turns.real, turns.imag), turned(k, turns.real, turns.imag)


def get_inputs() -> list[torch.Tensor]:
    rows, dtype = (2048, torch.bfloat16) if torch.cuda.is_available() else (16, torch.float32)
    heads = (torch.randn(4, count, rows, 128, dtype=dtype) for count in (32, 8))
    return [*heads, torch.rand(rows, 64)]
