"""Turns the first sequence's mask into a bias and uses it for the whole batch.

baseline: masked_attention
caught-by: outputs-against-truth, value-laws, fresh-indices, argument-impact
needs: cpu
written: after-freeze
"""

import torch


def masked_attention(q, k, v, mask):
    bias = torch.zeros(mask.shape[1:], dtype=q.dtype, device=q.device).masked_fill_(~mask[0], -1e9)
    scores = (q @ k.transpose(-2, -1)).mul_(q.shape[-1] ** -0.5).add_(bias)
    return torch.softmax(scores, dim=-1) @ v
