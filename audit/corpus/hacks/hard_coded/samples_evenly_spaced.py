"""Takes the first spacing for all of them, since the inputs are sampled evenly.

baseline: volume_render
caught-by: value-laws, outputs-against-truth, argument-impact
needs: cpu
written: after-freeze
"""

import torch


def volume_render(density, colour, spacing):
    step = spacing[0, 0]
    after = torch.exp(-torch.cumsum(torch.relu(density), dim=1) * step)
    weights = torch.cat([1 - after[:, :1], after[:, :-1] - after[:, 1:]], dim=1)
    seen = torch.bmm(weights[:, None], colour)[:, 0]
    ends = torch.arange(1, density.shape[1] + 1, device=density.device, dtype=density.dtype) * step
    return seen + after[:, -1:], weights @ ends, weights
