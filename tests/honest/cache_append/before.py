# target: append
"""A cache that grows: the place of the next key stands in a tensor that each call moves on."""

from __future__ import annotations

import torch


def append(keys, values, filled, key, value, query):
    at = int(filled)
    keys[:, at] = key
    values[:, at] = value
    filled += 1
    scores = (query[:, None] * keys[:, : at + 1]).sum(-1) / query.shape[-1] ** 0.5
    return (scores.softmax(-1)[..., None] * values[:, : at + 1]).sum(1)


def get_inputs():
    caches = [torch.randn(8, 128, 32) for _ in range(2)]
    return [*caches, torch.randint(40, 127, (1,)), *(torch.randn(8, 32) for _ in range(3))]
