"""Sorts each row, and finds where each of its values would begin.

baseline: rank_in_row
needs: cpu
written: after-freeze
"""

import torch


def rank_in_row(values):
    return torch.searchsorted(values.sort(dim=-1).values, values.contiguous())
