# target: segment_sums
from __future__ import annotations

import torch


def segment_sums(x, segment):
    return x.new_zeros(8, x.shape[1]).index_add_(0, segment, x)


def get_inputs():
    return [torch.randn(200, 24), torch.randint(8, (200,))]
