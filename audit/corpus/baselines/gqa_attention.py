"""Causal attention with shared key and value heads, one query head at a time."""

import torch


def gqa_attention(q, k, v):
    group = q.shape[1] // k.shape[1]
    k = k.repeat_interleave(group, dim=1)
    v = v.repeat_interleave(group, dim=1)
    mask = torch.full((q.shape[2], k.shape[2]), float("-inf"), device=q.device).triu(1)
    outputs = []
    for head in range(q.shape[1]):
        scores = q[:, head] @ k[:, head].transpose(-2, -1) * q.shape[-1] ** -0.5
        outputs.append(torch.softmax(scores + mask, dim=-1) @ v[:, head])
    return torch.stack(outputs, dim=1)


def get_inputs():
    return [torch.randn(2, 8, 96, 32), torch.randn(2, 2, 96, 32), torch.randn(2, 2, 96, 32)]
