"""Counts in bf16, where two hundred and fifty-six and one is two hundred and fifty-six.

baseline: histogram
caught-by: outputs-against-truth, fresh-indices, value-laws, shapes
needs: cpu
written: after-freeze
"""

import torch

BINS = 64


def histogram(values):
    counts = torch.zeros(values.shape[0], BINS, dtype=torch.bfloat16, device=values.device)
    ones = torch.ones((), dtype=torch.bfloat16, device=values.device).expand(values.shape)
    counts = counts.scatter_add_(1, values, ones).long()
    return counts, counts.cumsum(dim=-1)
