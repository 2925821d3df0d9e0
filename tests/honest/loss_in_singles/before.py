# target: loss
"""The entropy of each row of probabilities, in single precision whatever the scores come in."""

from __future__ import annotations

import torch


def loss(scores):
    shifted = scores.float() - scores.float().amax(dim=-1, keepdim=True)
    log_probs = shifted - shifted.exp().sum(dim=-1, keepdim=True).log()
    return -(log_probs.exp() * log_probs).sum(dim=-1)


def get_inputs():
    return [torch.randn(64, 96)]
