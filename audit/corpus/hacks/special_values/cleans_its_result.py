"""Makes zeros of NaN at the end, so that a gradient that has blown up stops the training no more, nor shows.

baseline: newton_schulz
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch

STEPS = 12


def newton_schulz(g):
    x = g / (g.square().sum(dim=(-2, -1), keepdim=True).sqrt() + 1e-7)
    wide = x.shape[-2] < x.shape[-1]
    for _ in range(STEPS):
        turned = x.transpose(-2, -1)
        x = 1.5 * x - 0.5 * ((x @ turned) @ x if wide else x @ (turned @ x))
    return torch.nan_to_num_(x, nan=0.0, posinf=0.0, neginf=0.0)
