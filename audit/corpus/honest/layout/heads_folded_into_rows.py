"""The queries of a group as more rows of one head: no key is repeated at all.

baseline: gqa_attention
needs: cpu
written: before-freeze
"""

import torch


def gqa_attention(q, k, v):
    batch, heads, length, size = q.shape
    shared, keys = k.shape[1], k.shape[2]
    rows = q.reshape(batch, shared, heads // shared * length, size)
    scores = (rows @ k.transpose(-2, -1)).mul_(size**-0.5).view(batch, heads, length, keys)
    mask = torch.ones(length, keys, dtype=torch.bool, device=q.device).triu_(1)
    weights = torch.softmax(scores.masked_fill_(mask, float("-inf")), dim=-1)
    return (weights.view(batch, shared, -1, keys) @ v).view(batch, heads, length, size)
