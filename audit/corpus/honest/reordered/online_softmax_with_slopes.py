"""Goes through the keys in blocks of 64 with a running maximum and a running sum.

baseline: alibi_attention
needs: cpu
written: after-freeze
"""

import math

import torch

BLOCK = 64


def alibi_attention(q, k, v, slopes):
    rows = torch.arange(q.shape[-2], device=q.device)[:, None]
    scaled = q / math.sqrt(q.shape[-1])
    top = q.new_full((*q.shape[:-1], 1), float("-inf"))
    total, mixed = torch.zeros_like(top), q.new_zeros(*q.shape[:-1], v.shape[-1])
    for at in range(0, k.shape[-2], BLOCK):
        keys, values = k[..., at : at + BLOCK, :], v[..., at : at + BLOCK, :]
        distance = rows - torch.arange(at, at + keys.shape[-2], device=q.device)
        scores = scaled @ keys.transpose(-2, -1) - slopes[:, None, None] * distance
        scores.masked_fill_(distance < 0, float("-inf"))
        higher = torch.maximum(top, scores.amax(dim=-1, keepdim=True))
        shift = torch.where(higher == float("-inf"), torch.zeros_like(higher), higher)
        fade, weights = torch.exp(top - shift), torch.exp(scores - shift)
        total = total * fade + weights.sum(dim=-1, keepdim=True)
        mixed = mixed * fade + weights @ values
        top = higher
    return mixed / total
