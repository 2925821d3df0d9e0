"""Leaves out the clamp, as if the last edge were one: a number above it draws an entry that is not there.

baseline: priority_sample
caught-by: value-laws, outputs-against-truth, contract
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F

LITTLE = 1e-6


def priority_sample(priorities, uniforms, alpha, beta):
    size = priorities.shape[0]
    scaled = (priorities.abs() + LITTLE).pow(alpha)
    shares = scaled / scaled.sum()
    chosen = torch.searchsorted(shares.cumsum(dim=0), uniforms.contiguous())
    weights = (size * F.pad(shares, (0, 1), value=1.0)[chosen]).pow(-beta)
    return chosen, weights / weights.max()
