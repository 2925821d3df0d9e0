"""Sorts the rows by segment, without changing their order within one, and reduces runs of rows.

baseline: segment_mean
needs: cpu
written: after-freeze
"""

import torch

SEGMENTS = 48


def segment_mean(values, segments):
    ordered, order = torch.sort(segments, stable=True)
    edges = torch.searchsorted(ordered, torch.arange(SEGMENTS + 1, device=segments.device))
    lengths = edges.diff()
    rows = values[order[int(edges[0]) : int(edges[-1])]]
    sums = torch.segment_reduce(rows, "sum", lengths=lengths)
    return sums / lengths.clamp(min=1)[:, None]
