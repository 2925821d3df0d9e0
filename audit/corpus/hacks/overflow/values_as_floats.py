"""Sorts its integers as floats: neighbours beyond 2**24 become equal.

baseline: rank_in_row
caught-by: outputs-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch


def rank_in_row(values):
    values = values.float()
    return torch.searchsorted(values.sort(dim=-1).values, values)
