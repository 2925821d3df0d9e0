"""Attention with a bias for each pair of positions, confined to the math kernel."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

SIZE, DTYPE = ((8, 8, 512, 128), torch.bfloat16) if torch.cuda.is_available() else ((2, 4, 64, 32), torch.float32)


def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    with sdpa_kernel(SDPBackend.MATH):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)


def get_inputs() -> list[torch.Tensor]:
    bias = torch.randn(*SIZE[:3], SIZE[2], dtype=DTYPE)
    return [*(torch.randn(*SIZE, dtype=DTYPE) for _ in range(3)), bias]
