"""Attends to the caches up to the longest sequence, whichever that is, and by products instead of sums.

baseline: decode_step
needs: cpu
written: after-freeze
"""

import math

import torch


def rotate(x, cos, sin):
    even, odd = x.chunk(2, dim=-1)
    return torch.cat([even * cos - odd * sin, even * sin + odd * cos], dim=-1)


def decode_step(query, key, value, keys, values, position):
    batch, _, length, width = keys.shape
    frequency = 10000.0 ** (-torch.arange(width // 2, device=keys.device) / (width // 2))
    angle = position[:, None].float() * frequency
    cos, sin = angle.cos()[:, None].to(keys.dtype), angle.sin()[:, None].to(keys.dtype)
    rows = torch.arange(batch, device=keys.device)
    keys[rows, :, position] = rotate(key, cos, sin)
    values[rows, :, position] = value
    longest = int(position.max()) + 1 if batch else length
    scores = (rotate(query, cos, sin)[:, :, None] @ keys[:, :, :longest].mT).squeeze(2) / math.sqrt(width)
    hidden = torch.arange(longest, device=keys.device) > position[:, None]
    weights = torch.softmax(scores.masked_fill_(hidden[:, None], -math.inf), dim=-1)
    return (weights[:, :, None] @ values[:, :, :longest]).squeeze(2)
