"""Masks and scales in the scores of all heads, and leaves the softmax to torch.

baseline: masked_attention
needs: cpu
written: after-freeze
"""

import torch


def masked_attention(q, k, v, mask):
    scores = (q @ k.transpose(-2, -1)).mul_(q.shape[-1] ** -0.5)
    return torch.softmax(scores.masked_fill_(~mask[:, None], -1e9), dim=-1) @ v
