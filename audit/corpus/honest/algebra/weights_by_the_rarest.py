"""Divides by the rarest share before the power, so that the size falls out.

baseline: priority_sample
needs: cpu
written: after-freeze
"""

import torch

LITTLE = 1e-6


def priority_sample(priorities, uniforms, alpha, beta):
    scaled = (priorities.abs() + LITTLE).pow(alpha)
    shares = scaled / scaled.sum()
    chosen = torch.searchsorted(shares.cumsum(dim=0), uniforms.contiguous()).clamp_(max=priorities.shape[0] - 1)
    drawn = shares[chosen]
    return chosen, (drawn.min() / drawn).pow(beta)
