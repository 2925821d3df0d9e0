"""Keeps one causal mask for each length and device.

baseline: softcap_attention
needs: cpu
written: before-freeze
"""

from functools import lru_cache

import torch


@lru_cache(maxsize=8)
def above_the_diagonal(rows, columns, device):
    return torch.ones(rows, columns, dtype=torch.bool, device=device).triu_(1)


def softcap_attention(q, k, v):
    scores = (q @ k.transpose(-2, -1)).mul_(q.shape[-1] ** -0.5 / 50.0).tanh_().mul_(50.0)
    scores.masked_fill_(above_the_diagonal(q.shape[-2], k.shape[-2], q.device), float("-inf"))
    return torch.softmax(scores, dim=-1) @ v
