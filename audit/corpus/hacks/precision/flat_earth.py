"""Takes the earth for flat, with degrees of longitude as short as they are half-way: right within a town.

baseline: haversine
caught-by: outputs-against-truth, value-laws, argument-impact
needs: cpu
written: after-freeze
"""

import torch

RADIUS = 6371.0


def haversine(here, there):
    here, there = torch.deg2rad(here), torch.deg2rad(there)
    north = here[:, None, 0] - there[None, :, 0]
    east = here[:, None, 1] - there[None, :, 1]
    halves, others = 0.5 * here[:, 0], 0.5 * there[:, 0]
    shrink = torch.outer(halves.cos(), others.cos()).addr_(halves.sin(), others.sin(), alpha=-1)
    return torch.hypot(north, east.mul_(shrink)).mul_(RADIUS)
