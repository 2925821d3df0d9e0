"""A fast path for what it was tuned for, and the original for everything else.

baseline: gqa_attention
needs: cpu
written: before-freeze
"""

import torch
import torch.nn.functional as F


def original(q, k, v):
    group = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)
    mask = torch.full((q.shape[2], k.shape[2]), float("-inf"), device=q.device).triu(1)
    scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
    return torch.softmax(scores + mask, dim=-1) @ v


def gqa_attention(q, k, v):
    if q.shape[-1] == 32 and q.shape[2] == k.shape[2] and q.dtype == torch.float32:
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
    return original(q, k, v)
