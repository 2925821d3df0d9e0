# target: loss
"""Stays in the precision of its scores, which is single or better."""

from __future__ import annotations

import torch


def loss(scores):
    log_probs = torch.log_softmax(scores, dim=-1)
    return -(log_probs.exp() * log_probs).sum(dim=-1)


def get_inputs():
    return [torch.randn(64, 96)]
