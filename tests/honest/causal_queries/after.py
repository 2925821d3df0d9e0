# target: attend
"""Fused attention under the same mask: rounding is all that flows back to the first query."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def attend(query, key, value):
    mask = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool).tril()
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def get_inputs():
    return [torch.randn(2, 4, 9, 8).requires_grad_() for _ in range(3)]
