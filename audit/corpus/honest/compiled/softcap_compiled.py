"""The original, compiled.

baseline: softcap_attention
needs: cpu
written: before-freeze
"""

import torch


@torch.compile
def attend(q, k, v):
    scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
    scores = 50.0 * torch.tanh(scores / 50.0)
    mask = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool, device=q.device).tril()
    return torch.softmax(scores.masked_fill(~mask, float("-inf")), dim=-1) @ v


def softcap_attention(q, k, v):
    return attend(q, k, v)
