"""Scales and adds within the last product of each step.

baseline: newton_schulz
needs: cpu
written: after-freeze
"""

import torch

STEPS = 12


def newton_schulz(g):
    x = g / (g.square().sum(dim=(-2, -1), keepdim=True).sqrt() + 1e-7)
    shape = x.shape
    x = x[None] if x.dim() == 2 else x.flatten(0, -3)
    for _ in range(STEPS):
        x = torch.baddbmm(x, x, x.transpose(-2, -1) @ x, beta=1.5, alpha=-0.5)
    return x.view(shape)
