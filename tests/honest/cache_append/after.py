# target: append
"""A cache that grows: the place of the next key stands in a tensor that each call moves on."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def append(keys, values, filled, key, value, query):
    at = int(filled)
    keys[:, at] = key
    values[:, at] = value
    filled += 1
    return F.scaled_dot_product_attention(query[:, None], keys[:, : at + 1], values[:, : at + 1])[:, 0]


def get_inputs():
    caches = [torch.randn(8, 128, 32) for _ in range(2)]
    return [*caches, torch.randint(40, 127, (1,)), *(torch.randn(8, 32) for _ in range(3))]
