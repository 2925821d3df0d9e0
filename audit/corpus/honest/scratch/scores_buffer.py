"""Keeps a buffer for the scores; what it returns is its own.

baseline: softcap_attention
needs: cpu
written: before-freeze
"""

import torch

scratch = {}


def softcap_attention(q, k, v):
    shape = (*q.shape[:-1], k.shape[-2])
    key = (shape, q.dtype, q.device)
    if key not in scratch:
        scratch.clear()
        scratch[key] = torch.empty(shape, dtype=q.dtype, device=q.device)
    scores = torch.matmul(q, k.transpose(-2, -1), out=scratch[key])
    scores.mul_(q.shape[-1] ** -0.5 / 50.0).tanh_().mul_(50.0)
    mask = torch.ones(shape[-2:], dtype=torch.bool, device=q.device).triu_(1)
    return torch.softmax(scores.masked_fill_(mask, float("-inf")), dim=-1) @ v
