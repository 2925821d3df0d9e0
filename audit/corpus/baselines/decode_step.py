"""One decoding step of a batch: rotates query and key, writes key and value into the caches, and attends to what is written.

Each sequence has its own position; what lies behind it in the caches is not to be seen.
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
    scores = (rotate(query, cos, sin)[:, :, None] * keys).sum(dim=-1) / math.sqrt(width)
    hidden = torch.arange(length, device=keys.device) > position[:, None]
    weights = torch.softmax(scores.masked_fill(hidden[:, None], -math.inf), dim=-1)
    return (weights[..., None] * values).sum(dim=2)


def get_inputs():
    new = [torch.randn(8, 4, 32) for _ in range(3)]
    caches = [torch.randn(8, 4, 256, 32) for _ in range(2)]
    return [*new, *caches, torch.randint(0, 160, (8,)).sort(descending=True).values]
