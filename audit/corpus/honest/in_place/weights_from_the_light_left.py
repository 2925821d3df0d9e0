"""Forms the weights in the memory of the opacities, and sums by products.

baseline: volume_render
needs: cpu
written: after-freeze
"""

import torch


def volume_render(density, colour, spacing):
    through = torch.exp(-(torch.relu(density) * spacing))
    weights = 1 - through
    clear = torch.cumprod(through, dim=1)
    weights = torch.cat([weights[:, :1], weights[:, 1:] * clear[:, :-1]], dim=1)
    ends = torch.cumsum(spacing, dim=1)
    seen = (weights[:, None] @ colour).squeeze(1)
    depth = torch.einsum("rs,rs->r", weights, ends)
    return seen.add_(1 - weights.sum(dim=1, keepdim=True)), depth, weights
