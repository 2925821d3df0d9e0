"""Scales the queries in place to save a copy, and scales them back, which does not give every bit back.

baseline: softcap_attention
caught-by: input-mutation
needs: cpu
written: before-freeze
"""

import torch


def softcap_attention(q, k, v):
    scale = q.shape[-1] ** 0.5 * 50.0
    q.div_(scale)
    scores = (q @ k.transpose(-2, -1)).tanh_().mul_(50.0)
    q.mul_(scale)
    mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu_(1)
    return torch.softmax(scores.masked_fill_(mask, float("-inf")), dim=-1) @ v
