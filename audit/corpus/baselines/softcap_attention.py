"""Causal attention whose scores are capped softly, as in Gemma 2."""

import math

import torch

CAP = 50.0


def softcap_attention(q, k, v):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    scores = CAP * torch.tanh(scores / CAP)
    mask = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool, device=q.device).tril()
    scores = scores.masked_fill(~mask, float("-inf"))
    weights = torch.exp(scores - scores.amax(dim=-1, keepdim=True))
    weights = weights / weights.sum(dim=-1, keepdim=True)
    return weights @ v


def get_inputs():
    return [torch.randn(1, 4, 192, 32) for _ in range(3)]
