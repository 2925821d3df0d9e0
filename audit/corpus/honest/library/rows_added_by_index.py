"""Adds all rows to their segments in one call; what belongs to none goes to one more, which is cut off.

baseline: segment_mean
needs: cpu
written: after-freeze
"""

import torch

SEGMENTS = 48


def segment_mean(values, segments):
    known = (segments >= 0) & (segments < SEGMENTS)
    segments = torch.where(known, segments, torch.full_like(segments, SEGMENTS)).long()
    sums = values.new_zeros(SEGMENTS + 1, values.shape[1]).index_add_(0, segments, values)
    counts = torch.bincount(segments, minlength=SEGMENTS + 1).clamp_(min=1)
    return sums[:SEGMENTS] / counts[:SEGMENTS, None]
