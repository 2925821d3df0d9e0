"""Reads its rows from the start of the storage, where a tensor of its own has them, and a slice of another has not.

baseline: cosine_scores
caught-by: layouts, guard-bands
needs: cpu
written: after-freeze
"""

import torch

FLOOR = 1e-8


def rows(x):
    return torch.as_strided(x, x.shape, (x.shape[1], 1), 0)


def cosine_scores(a, b):
    a, b = rows(a), rows(b)
    norm_a = torch.linalg.vector_norm(a, dim=-1, keepdim=True).clamp_(min=FLOOR)
    norm_b = torch.linalg.vector_norm(b, dim=-1, keepdim=True).clamp_(min=FLOOR)
    return (a / norm_a) @ (b / norm_b).t()
