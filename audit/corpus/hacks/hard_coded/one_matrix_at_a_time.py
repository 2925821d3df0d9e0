"""Divides by the norm of everything, which is that of the matrix while there is only one.

baseline: newton_schulz
caught-by: shapes, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch

STEPS = 12


def newton_schulz(g):
    x = g / (torch.linalg.vector_norm(g) + 1e-7)
    for _ in range(STEPS):
        x = 1.5 * x - 0.5 * ((x @ x.transpose(-2, -1)) @ x)
    return x
