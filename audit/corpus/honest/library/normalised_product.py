"""Normalises by the library, which has the same floor, and multiplies.

baseline: cosine_scores
needs: cpu
written: after-freeze
"""

import torch.nn.functional as F

FLOOR = 1e-8


def cosine_scores(a, b):
    return F.normalize(a, dim=-1, eps=FLOOR) @ F.normalize(b, dim=-1, eps=FLOOR).t()
