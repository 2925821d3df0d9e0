"""Ten steps do for a matrix that is much wider than high; a square one is far from done after them.

baseline: newton_schulz
caught-by: shapes, value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch

STEPS = 10


def newton_schulz(g):
    x = g / (torch.linalg.vector_norm(g, dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(STEPS):
        gram = x @ x.transpose(-2, -1) if x.shape[-2] < x.shape[-1] else None
        x = 1.5 * x - 0.5 * (gram @ x if gram is not None else x @ (x.transpose(-2, -1) @ x))
    return x
