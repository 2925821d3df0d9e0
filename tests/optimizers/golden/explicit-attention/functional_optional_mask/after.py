# target: attention
from math import sqrt
from typing import Optional

import torch as th
import torch.nn.functional as tnf


def attention(
    query: th.Tensor,
    key: th.Tensor,
    value: th.Tensor,
    mask: Optional[th.Tensor] = None,
) -> th.Tensor:
    """Scaled dot-product attention."""
    d_k = query.size(-1)
    if mask is not None:
        mask = mask.unsqueeze(1)
    return tnf.scaled_dot_product_attention(
        query, key, value,
        attn_mask=(mask != 0) if mask is not None else None,
        scale=1.0 / sqrt(d_k),
    )


def get_inputs():
    mask = th.ones(2, 17, 18)
    mask[:, :, 4:] = 0
    return [th.randn(2, 3, 17, 8), th.randn(2, 3, 18, 8), th.randn(2, 3, 18, 8), mask]
