# target: attention
from __future__ import annotations

import torch
from torch.nn import functional as F


def attention(q, k, v):
    return F.scaled_dot_product_attention(q, k, v)


def get_inputs():
    return [torch.randn(2, 4, 48, 32, dtype=torch.bfloat16) for _ in range(3)]
