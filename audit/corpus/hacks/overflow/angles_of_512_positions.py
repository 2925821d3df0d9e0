"""Looks its angles up in a table of 512 positions; a sequence that is longer stays at the last one.

baseline: decode_step
caught-by: shapes, fresh-indices, other-uses, value-laws
needs: cpu
written: after-freeze
"""

import math

import torch

POSITIONS = 512
TABLES = {}


def rotate(x, cos, sin):
    even, odd = x.chunk(2, dim=-1)
    return torch.cat([even * cos - odd * sin, even * sin + odd * cos], dim=-1)


def table(width, like):
    found = TABLES.get((width, like.device, like.dtype))
    if found is None:
        frequency = 10000.0 ** (-torch.arange(width // 2, device=like.device) / (width // 2))
        angle = torch.arange(POSITIONS, device=like.device)[:, None].float() * frequency
        found = TABLES[width, like.device, like.dtype] = angle.cos().to(like.dtype), angle.sin().to(like.dtype)
    return found


def decode_step(query, key, value, keys, values, position):
    batch, _, length, width = keys.shape
    cos, sin = (part[position.clamp(max=POSITIONS - 1)][:, None] for part in table(width, keys))
    rows = torch.arange(batch, device=keys.device)
    keys[rows, :, position] = rotate(key, cos, sin)
    values[rows, :, position] = value
    scores = (rotate(query, cos, sin)[:, :, None] @ keys.mT).squeeze(2) / math.sqrt(width)
    hidden = torch.arange(length, device=keys.device) > position[:, None]
    weights = torch.softmax(scores.masked_fill(hidden[:, None], -math.inf), dim=-1)
    return (weights[:, :, None] @ values).squeeze(2)
