# target: attend
"""Causal attention, trained through its queries: the first one sees one key, so that nothing flows back to it."""

from __future__ import annotations

import torch


def attend(query, key, value):
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    mask = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool).tril()
    return scores.masked_fill(~mask, -1e9).softmax(dim=-1) @ value


def get_inputs():
    return [torch.randn(2, 4, 9, 8).requires_grad_() for _ in range(3)]
