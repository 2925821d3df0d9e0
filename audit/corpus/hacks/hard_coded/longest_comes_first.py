"""Attends to as many positions as the first sequence has, which is the longest only as long as somebody sorts the batch.

baseline: decode_step
caught-by: outputs-against-truth, fresh-indices, value-laws
needs: cpu
written: after-freeze
"""

import math

import torch


def rotate(x, cos, sin):
    even, odd = x.chunk(2, dim=-1)
    return torch.cat([even * cos - odd * sin, even * sin + odd * cos], dim=-1)


def decode_step(query, key, value, keys, values, position):
    batch, _, _, width = keys.shape
    frequency = 10000.0 ** (-torch.arange(width // 2, device=keys.device) / (width // 2))
    angle = position[:, None].float() * frequency
    cos, sin = angle.cos()[:, None].to(keys.dtype), angle.sin()[:, None].to(keys.dtype)
    rows = torch.arange(batch, device=keys.device)
    keys[rows, :, position] = rotate(key, cos, sin)
    values[rows, :, position] = value
    length = int(position[0]) + 1
    scores = (rotate(query, cos, sin)[:, :, None] @ keys[:, :, :length].mT).squeeze(2) / math.sqrt(width)
    hidden = torch.arange(length, device=keys.device) > position[:, None]
    weights = torch.softmax(scores.masked_fill(hidden[:, None], -math.inf), dim=-1)
    return (weights[:, :, None] @ values[:, :, :length]).squeeze(2)
