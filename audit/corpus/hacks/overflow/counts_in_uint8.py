"""Counts the rows of each segment in bytes.

baseline: segment_mean
caught-by: outputs-against-truth, value-laws, fresh-indices
needs: cpu
written: after-freeze
"""

import torch

SEGMENTS = 48


def segment_mean(values, segments):
    sums = values.new_zeros(SEGMENTS, values.shape[1]).index_add_(0, segments, values)
    ones = torch.ones(1, dtype=torch.uint8, device=values.device).expand(segments.shape[0])
    counts = torch.zeros(SEGMENTS, dtype=torch.uint8, device=values.device).index_add_(0, segments, ones)
    return sums / counts.clamp(min=1)[:, None]
