"""The light that is left as the exponential of a running sum, instead of a running product of exponentials.

baseline: volume_render
needs: cpu
written: after-freeze
"""

import torch


def volume_render(density, colour, spacing):
    thickness = torch.relu(density) * spacing
    passed = torch.cumsum(thickness, dim=1)
    weights = torch.exp(thickness - passed) * -torch.expm1(-thickness)
    seen = torch.bmm(weights[:, None], colour)[:, 0]
    depth = (weights * torch.cumsum(spacing, dim=1)).sum(dim=1)
    return seen + (1 - weights.sum(dim=1, keepdim=True)), depth, weights
