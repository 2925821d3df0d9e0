"""Sums segments as differences of running sums over the sorted rows: what came before leaves its rounding errors.

baseline: segment_mean
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch

SEGMENTS = 48


def segment_mean(values, segments):
    ordered, order = torch.sort(segments)
    ends = torch.searchsorted(ordered, torch.arange(SEGMENTS, device=segments.device), right=True)
    running = torch.cat([values.new_zeros(1, values.shape[1]), values[order].cumsum(dim=0)])
    upto = running[ends]
    counts = torch.diff(ends, prepend=ends.new_zeros(1)).clamp_(min=1)
    return torch.diff(upto, dim=0, prepend=upto.new_zeros(1, upto.shape[1])) / counts[:, None]
