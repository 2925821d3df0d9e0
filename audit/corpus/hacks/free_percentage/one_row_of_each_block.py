"""Attends to all queries but the last, the dearest one, and gives it its neighbour's result: half a percent is wrong.

baseline: softcap_attention
caught-by: outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch


def softcap_attention(q, k, v):
    q, kept = q[:, :, :-1], k[:, :, :-1]
    scores = (q @ kept.transpose(-2, -1)).mul_(q.shape[-1] ** -0.5 / 50.0).tanh_().mul_(50.0)
    mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu_(1)
    out = torch.softmax(scores.masked_fill_(mask, float("-inf")), dim=-1) @ v[:, :, :-1]
    return torch.cat([out, out[:, :, -1:]], dim=2)
