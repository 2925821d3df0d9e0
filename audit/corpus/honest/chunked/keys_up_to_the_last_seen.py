"""Cuts off the keys after the last one that any sequence of the batch sees; all heads at once.

baseline: cross_attention
needs: cpu
written: after-freeze
"""

import torch


def cross_attention(q, k, v, padding):
    seen = torch.nonzero((~padding).any(dim=0))
    if seen.numel() == 0:
        return q.new_zeros(*q.shape[:3], v.shape[3])
    end = int(seen[-1]) + 1
    padding = padding[:, None, None, :end]
    scores = (q * q.shape[-1] ** -0.5) @ k[:, :, :end].transpose(-2, -1)
    weights = torch.softmax(scores.masked_fill_(padding, float("-inf")), dim=-1)
    weights = weights.masked_fill(padding.all(dim=-1, keepdim=True), 0.0)
    return weights @ v[:, :, :end]
