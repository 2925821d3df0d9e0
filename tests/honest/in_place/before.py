# target: attention
from __future__ import annotations

import torch


def attention(q, k, v, scale):
    scores = q @ k.transpose(-2, -1) * scale
    causal = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool).tril()
    scores = scores.masked_fill(~causal, float("-inf"))
    return torch.softmax(scores, dim=-1) @ v


def get_inputs():
    return [*(torch.randn(2, 4, 24, 16) for _ in range(3)), 0.25]
