"""Writes the caches and leaves the attention to the library, with a mask of each sequence's length.

baseline: decode_step
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


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
    seen = torch.arange(length, device=keys.device) <= position[:, None]
    turned = rotate(query, cos, sin)[:, :, None]
    return F.scaled_dot_product_attention(turned, keys, values, attn_mask=seen[:, None, None]).squeeze(2)
