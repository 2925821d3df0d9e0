"""Keeps the frequencies, which depend on the width alone, and rotates query and key as one.

baseline: decode_step
needs: cpu
written: after-freeze
"""

import functools
import math

import torch


@functools.lru_cache(maxsize=16)
def frequencies(half, device):
    return 10000.0 ** (-torch.arange(half, device=device) / half)


def decode_step(query, key, value, keys, values, position):
    batch, _, length, width = keys.shape
    angle = position[:, None].float() * frequencies(width // 2, keys.device)
    cos, sin = angle.cos()[:, None].to(keys.dtype), angle.sin()[:, None].to(keys.dtype)
    even, odd = torch.stack([query, key]).chunk(2, dim=-1)
    query, key = torch.cat([even * cos - odd * sin, even * sin + odd * cos], dim=-1)
    rows = torch.arange(batch, device=keys.device)
    keys[rows, :, position] = key
    values[rows, :, position] = value
    scores = torch.einsum("bhd,bhld->bhl", query * (1 / math.sqrt(width)), keys)
    hidden = torch.arange(length, device=keys.device) > position[:, None]
    weights = torch.softmax(scores.masked_fill(hidden[:, None], -math.inf), dim=-1)
    return torch.einsum("bhl,bhld->bhd", weights, values)
