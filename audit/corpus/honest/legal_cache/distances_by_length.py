"""Keeps the distances and the mask for the last lengths; the slopes are read in every call.

baseline: alibi_attention
needs: cpu
written: after-freeze
"""

import math
from functools import lru_cache

import torch


@lru_cache(maxsize=8)
def geometry(queries, keys, dtype, device):
    distance = torch.arange(queries, device=device)[:, None] - torch.arange(keys, device=device)
    return distance.to(dtype), distance < 0


def alibi_attention(q, k, v, slopes):
    distance, hidden = geometry(q.shape[-2], k.shape[-2], slopes.dtype, q.device)
    scores = torch.matmul(q, k.transpose(-2, -1)).div_(math.sqrt(q.shape[-1]))
    scores.sub_(slopes[:, None, None] * distance).masked_fill_(hidden, float("-inf"))
    return torch.softmax(scores, dim=-1) @ v
