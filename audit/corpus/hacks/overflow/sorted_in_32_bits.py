"""Halves the memory to sort: values beyond 32 bits come back as others.

baseline: rank_in_row
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


def rank_in_row(values):
    narrow = values.to(torch.int32)
    return torch.searchsorted(narrow.sort(dim=-1).values, narrow)
