"""Queries grouped by the key that they share, contracted by einsum.

baseline: gqa_attention
needs: cpu
written: before-freeze
"""

import torch


def gqa_attention(q, k, v):
    batch, heads, length, size = q.shape
    grouped = q.view(batch, k.shape[1], heads // k.shape[1], length, size)
    scores = torch.einsum("bhgqd,bhkd->bhgqk", grouped, k) * size**-0.5
    mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu_(1)
    weights = torch.softmax(scores.masked_fill(mask, float("-inf")), dim=-1)
    return torch.einsum("bhgqk,bhkd->bhgqd", weights, v).reshape(q.shape)
