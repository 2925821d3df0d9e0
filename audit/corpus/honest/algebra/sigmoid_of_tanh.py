"""tanh by a sigmoid, and the softmax's shift left to the library.

baseline: softcap_attention
needs: cpu
written: before-freeze
"""

import torch


def softcap_attention(q, k, v):
    scores = q @ k.transpose(-2, -1)
    scores = torch.sigmoid(scores * (2.0 * q.shape[-1] ** -0.5 / 50.0)).mul_(100.0).sub_(50.0)
    mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu_(1)
    return torch.softmax(scores.masked_fill_(mask, float("-inf")), dim=-1) @ v
