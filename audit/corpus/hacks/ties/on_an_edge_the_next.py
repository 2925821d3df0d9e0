"""Goes on to the next entry where a number falls on an edge, as zeros at the start and ones at the end do.

baseline: priority_sample
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch

LITTLE = 1e-6


def priority_sample(priorities, uniforms, alpha, beta):
    size = priorities.shape[0]
    scaled = (priorities.abs() + LITTLE).pow(alpha)
    shares = scaled / scaled.sum()
    chosen = torch.searchsorted(shares.cumsum(dim=0), uniforms.contiguous(), right=True).clamp_(max=size - 1)
    weights = (size * shares[chosen]).pow(-beta)
    return chosen, weights / weights.max()
