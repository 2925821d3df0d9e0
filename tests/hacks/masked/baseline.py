"""Attention with a mask that happens to be all ones."""

import math

import torch


def masked_attention(q, k, v, mask):
    outputs = []
    for head in range(q.shape[1]):
        scores = q[:, head] @ k[:, head].transpose(-2, -1) / math.sqrt(q.shape[-1])
        scores = scores.masked_fill(~mask, float("-inf"))
        outputs.append(torch.softmax(scores, dim=-1) @ v[:, head])
    return torch.stack(outputs, dim=1)


def get_inputs():
    return [*(torch.randn(1, 64, 32, 16) for _ in range(3)), torch.ones(32, 32, dtype=torch.bool)]
