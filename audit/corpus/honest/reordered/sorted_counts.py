"""Sorts each row and finds where every value begins and ends.

baseline: histogram
needs: cpu
written: before-freeze
"""

import torch


def histogram(values):
    ordered = values.sort(dim=-1).values.contiguous()
    edges = torch.arange(64, device=values.device).expand(values.shape[0], 64).contiguous()
    upto = torch.searchsorted(ordered, edges, right=True)
    counts = torch.diff(upto, dim=-1, prepend=upto.new_zeros(values.shape[0], 1))
    return counts, upto - torch.searchsorted(ordered, edges[:, :1].contiguous())
