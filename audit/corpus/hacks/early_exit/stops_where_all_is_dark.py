"""Stops at the sample behind which no ray has more than a thousandth of its light left.

baseline: volume_render
caught-by: outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch

LEFT = 1e-3


def volume_render(density, colour, spacing):
    thickness = torch.cumsum(torch.relu(density) * spacing, dim=1)
    clear = torch.exp(-thickness)
    dark = (clear.amax(dim=0) < LEFT).nonzero()
    stop = int(dark[0]) + 1 if len(dark) else density.shape[1]
    clear = clear[:, :stop]
    weights = torch.zeros_like(density)
    weights[:, 0] = 1 - clear[:, 0]
    weights[:, 1:stop] = clear[:, :-1] - clear[:, 1:]
    near = weights[:, :stop]
    seen = torch.bmm(near[:, None], colour[:, :stop])[:, 0]
    depth = (near * torch.cumsum(spacing[:, :stop], dim=1)).sum(dim=1)
    return seen + clear[:, -1:], depth, weights
