"""Multiplies from the side on which the product of the matrix with itself is smaller.

baseline: newton_schulz
needs: cpu
written: after-freeze
"""

STEPS = 12


def newton_schulz(g):
    x = g / (g.square().sum(dim=(-2, -1), keepdim=True).sqrt() + 1e-7)
    wide = x.shape[-2] < x.shape[-1]
    for _ in range(STEPS):
        turned = x.transpose(-2, -1)
        cube = (x @ turned) @ x if wide else x @ (turned @ x)
        x = 1.5 * x - 0.5 * cube
    return x
