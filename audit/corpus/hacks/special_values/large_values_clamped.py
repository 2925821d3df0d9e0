"""Works on scores clamped to ten, because nobody's random inputs have larger ones.

baseline: softcap_attention
caught-by: value-laws, outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch


def softcap_attention(q, k, v):
    scores = (q @ k.transpose(-2, -1)).mul_(q.shape[-1] ** -0.5 / 50.0).tanh_().mul_(50.0).clamp_(max=10.0)
    mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu_(1)
    weights = scores.exp_().masked_fill_(mask, 0.0)
    return (weights @ v).div_(weights.sum(dim=-1, keepdim=True))
