"""Reads the colours as rows of three that lie side by side, whatever their strides are.

baseline: volume_render
caught-by: layouts
needs: cpu
written: after-freeze
"""

import torch


def volume_render(density, colour, spacing):
    passed = torch.cumsum(torch.relu(density) * spacing, dim=1)
    after = torch.exp(-passed)
    weights = torch.cat([1 - after[:, :1], after[:, :-1] - after[:, 1:]], dim=1)
    rays, samples = density.shape
    side_by_side = colour.as_strided((rays, samples, 3), (samples * 3, 3, 1))
    seen = torch.bmm(weights[:, None], side_by_side)[:, 0]
    depth = (weights * torch.cumsum(spacing, dim=1)).sum(dim=1)
    return seen + after[:, -1:], depth, weights
