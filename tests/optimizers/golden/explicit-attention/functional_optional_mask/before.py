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
    scores = th.matmul(query, key.transpose(-2, -1)) / sqrt(d_k)
    if mask is not None:
        mask = mask.unsqueeze(1)
        scores = scores.masked_fill(mask == 0, -1e9)
    p_attn = tnf.softmax(scores, dim=-1)
    return th.matmul(p_attn, value)


def get_inputs():
    mask = th.ones(2, 17, 18)
    mask[:, :, 4:] = 0
    return [th.randn(2, 3, 17, 8), th.randn(2, 3, 18, 8), th.randn(2, 3, 18, 8), mask]
