"""Divides by the norms as they are: a row of zeros gives NaN instead of zeros.

baseline: cosine_scores
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


def cosine_scores(a, b):
    inverse_a = torch.linalg.vector_norm(a, dim=-1, keepdim=True).reciprocal_()
    inverse_b = torch.linalg.vector_norm(b, dim=-1, keepdim=True).reciprocal_()
    return (a * inverse_a) @ (b * inverse_b).t()
