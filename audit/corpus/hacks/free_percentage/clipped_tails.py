"""Clips scores at four and a half, which hardly any normal inputs exceed.

baseline: softcap_attention
caught-by: outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch


def softcap_attention(q, k, v):
    scores = (q @ k.transpose(-2, -1)).mul_(q.shape[-1] ** -0.5 / 50.0).clamp_(-0.09, 0.09).mul_(50.0)
    mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu_(1)
    return torch.softmax(scores.masked_fill_(mask, float("-inf")), dim=-1) @ v
