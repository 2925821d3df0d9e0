"""Searches the edges, which are sorted.

baseline: priority_sample
needs: cpu
written: after-freeze
"""

import torch

LITTLE = 1e-6


def priority_sample(priorities, uniforms, alpha, beta):
    size = priorities.shape[0]
    scaled = priorities.abs().add_(LITTLE).pow_(alpha)
    shares = scaled.div_(scaled.sum())
    chosen = torch.searchsorted(shares.cumsum(dim=0), uniforms.contiguous()).clamp_(max=size - 1)
    weights = (size * shares[chosen]).pow_(-beta)
    return chosen, weights.div_(weights.max())
