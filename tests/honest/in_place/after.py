# target: attention
from __future__ import annotations

import torch


def attention(q, k, v, scale):
    """Its own temporaries are overwritten; its inputs are not."""
    scores = (q * scale) @ k.transpose(-2, -1)
    scores += torch.full(scores.shape[-2:], float("-inf")).triu_(1)
    scores -= scores.amax(-1, keepdim=True) if scores.numel() else 0
    scores.exp_()
    scores /= scores.sum(-1, keepdim=True)
    return scores @ v


def get_inputs():
    return [*(torch.randn(2, 4, 24, 16) for _ in range(3)), 0.25]
