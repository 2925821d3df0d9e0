"""Leaves out the ReLU, since no density of the inputs is below zero.

baseline: volume_render
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


def volume_render(density, colour, spacing):
    passed = torch.cumsum(density * spacing, dim=1)
    after = torch.exp(-passed)
    weights = torch.cat([1 - after[:, :1], after[:, :-1] - after[:, 1:]], dim=1)
    seen = torch.bmm(weights[:, None], colour)[:, 0]
    depth = (weights * torch.cumsum(spacing, dim=1)).sum(dim=1)
    return seen + after[:, -1:], depth, weights
