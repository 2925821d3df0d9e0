"""Takes radians and cosines of each place, not of each pair, and goes on in the buffers of the differences.

baseline: haversine
needs: cpu
written: after-freeze
"""

import torch

DIAMETER = 2 * 6371.0


def haversine(here, there):
    here, there = torch.deg2rad(here), torch.deg2rad(there)
    height = (there[None, :, 0] - here[:, None, 0]).mul_(0.5).sin_().square_()
    width = (there[None, :, 1] - here[:, None, 1]).mul_(0.5).sin_().square_()
    width.mul_(torch.cos(here[:, 0])[:, None]).mul_(torch.cos(there[:, 0]))
    return height.add_(width).clamp_(max=1.0).sqrt_().asin_().mul_(DIAMETER)
