"""Scales the exponentials themselves, which are zero or infinite where the scores lie far apart.

baseline: sinkhorn
caught-by: outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch

ROUNDS = 20


def sinkhorn(scores):
    kernel = torch.exp(scores)
    columns = torch.ones_like(kernel[..., :1, :])
    for _ in range(ROUNDS):
        rows = 1 / (kernel @ columns.transpose(-2, -1))
        columns = 1 / (rows.transpose(-2, -1) @ kernel)
    return rows * kernel * columns
