"""The nearest orthogonal matrix, by twelve cubic Newton-Schulz steps, as optimizers of the Muon kind do."""

import torch

STEPS = 12


def newton_schulz(g):
    x = g / (g.square().sum(dim=(-2, -1), keepdim=True).sqrt() + 1e-7)
    for _ in range(STEPS):
        x = 1.5 * x - 0.5 * (x @ (x.transpose(-2, -1) @ x))
    return x


def get_inputs():
    return [torch.randn(48, 144)]
