"""The backward pass of attention by hand."""

from __future__ import annotations

import torch


def scores_backward(d_out: torch.Tensor, p: torch.Tensor, v: torch.Tensor, scale: float) -> torch.Tensor:
    d_p = d_out @ v.transpose(-2, -1)
    inner = (d_p * p).sum(dim=-1, keepdim=True)
    return p * (d_p - inner) * scale


def get_inputs() -> list[object]:
    p = torch.randn(4, 16, 1024, 1024).softmax(-1).bfloat16()
    d_out, v = (torch.randn(4, 16, 1024, 64, dtype=torch.bfloat16) for _ in range(2))
    return [d_out, p, v, 0.125]
