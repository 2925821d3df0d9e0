"""Attention with a mask for each sequence of the batch, one head at a time."""

import torch


def masked_attention(q, k, v, mask):
    heads = []
    for head in range(q.shape[1]):
        scores = q[:, head] @ k[:, head].transpose(-2, -1) / q.shape[-1] ** 0.5
        scores = torch.where(mask, scores, torch.full_like(scores, -1e9))
        weights = torch.exp(scores - scores.amax(dim=-1, keepdim=True))
        heads.append((weights / weights.sum(dim=-1, keepdim=True)) @ v[:, head])
    return torch.stack(heads, dim=1)


def get_inputs():
    mask = torch.ones(4, 128, 128, dtype=torch.bool).tril()
    return [*(torch.randn(4, 8, 128, 32) for _ in range(3)), mask]
